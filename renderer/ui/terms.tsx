/** @file Each term of the trade, defined once; the same words wherever its ⓘ stands. */
import { Popover } from '@base-ui/react/popover'
import { Icon } from './icon.tsx'

const terms = {
  bpw: ['Bits per weight', 'The size of the whole file in bits, divided by the number of weights. Scales, zero points, embeddings and adapters all count.'],
  size: ['Size on disk', 'Every byte of the finished file, headers and tokenizer included.'],
  kl: ['KL divergence', 'How far the compressed model’s prediction of the next token is from the original’s, averaged over tokens. 0 means the same; below 0.01 is hard to notice.'],
  perplexity: ['Perplexity', 'How surprised a model is by a text: lower is better. Compare it with the original’s on the same text, never across texts.'],
  sqnr: ['Signal to noise', 'The size of an output over the size of its error, in decibels: 20 dB is an error of a tenth, 40 dB of a hundredth. The same as the original’s at infinity.'],
  sameTop: ['Same most likely token', 'How often both models would pick the same next token.'],
  sensitivity: ['Sensitivity', 'How much a layer’s output suffers when its weights are stored in fewer bits. Measured on your data, layer by layer.'],
  loss: ['Predicted loss', 'The sum of the layers’ measured losses under a plan. Good for comparing plans with each other; the Compare step measures the real thing.'],
  pin: ['Pin', 'A layer whose format you fix. The plan is solved around it.'],
  calibration: ['Calibration data', 'Text the model reads once, so that rounding errors are put where they matter least. Use text like what the model will meet.'],
  heldOut: ['Held-out text', 'Text kept apart from calibration, to judge the result on. Judging on calibration text would flatter it.'],
  correction: ['Correction', 'A small low-rank adapter, fitted so that it takes back a part of the rounding error.'],
  uniform: ['Uniform baseline', 'The same format for every layer: what you would get without a plan.'],
  window: ['Window', 'A stretch of text the model reads at once, counted in tokens.'],
} as const satisfies Record<string, readonly [string, string]>
export type TermName = keyof typeof terms

/** The ⓘ beside a word: opens its definition on click, Enter or Space; Escape closes it. */
export function Term({ name }: { readonly name: TermName }): React.JSX.Element {
  const [title, text] = terms[name]
  return (
    <Popover.Root>
      <Popover.Trigger aria-label={`What is: ${title}`} className="inline-flex h-6 w-6 shrink-0 items-center justify-center rounded-full align-middle text-ink-3 hover:bg-surface-3 hover:text-ink-1"><Icon name="info" size={14} /></Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} className="z-50">
          <Popover.Popup className="max-w-72 rounded-md border border-line bg-surface-2 p-3 shadow-float">
            <Popover.Title className="font-semibold">{title}</Popover.Title>
            <Popover.Description className="mt-1 text-ink-2">{text}</Popover.Description>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
