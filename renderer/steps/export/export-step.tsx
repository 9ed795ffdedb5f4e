/** @file Step 7: where will it be used? What was written, that it was verified, and how it is loaded there. */
import { useState } from 'react'
import type { Target } from '../../../electron/contract/options.ts'
import type { CompressReport } from '../../../electron/contract/report.ts'
import { announce, attempt, go, onJob, setDraft } from '../../commands/actions.ts'
import { CodeBlock } from '../../commands/dialogs.tsx'
import { StepPage } from '../../frame/step-page.tsx'
import { bits, bytes, digits, percent, withError } from '../../state/format.ts'
import { reportOf } from '../../state/report.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { runsOf } from '../../state/steps.ts'
import { Button } from '../../ui/button.tsx'
import { Banner, Empty } from '../../ui/feedback.tsx'
import { Segmented, Select } from '../../ui/fields.tsx'
import { Facts, Panel } from '../../ui/panel.tsx'
import { usages } from './loading-code.ts'

const targets: readonly { readonly value: Target; readonly label: string; readonly for: string; readonly limits: string }[] = [
  { value: 'gguf', label: 'GGUF', for: 'llama.cpp, Ollama, LM Studio', limits: 'Layers whose rows are no multiple of 256 take the 32-wide formats.' },
  { value: 'onnx', label: 'ONNX', for: 'ONNX Runtime, browsers', limits: 'No 3-bit layers: stock operators hold 2, 4 and 8 bits.' },
  { value: 'safetensors', label: 'safetensors', for: 'transformers, vLLM', limits: 'Embeddings and the head stay at 16 bits.' },
]

function copy(text: string, what: string): void {
  void attempt(async () => {
    await navigator.clipboard.writeText(text)
    announce(`${what} copied`)
  })
}

export function ExportStep(): React.JSX.Element {
  const open = useApp((state) => state.open)
  const jobs = useApp((state) => state.jobs)
  const shown = useApp((state) => state.job)
  const isOfGraph = useApp(isGraph)
  if (!open) return <></>
  const finished = runsOf(jobs, open.project.id).flatMap((job) => { const report = reportOf(job); return report ? [{ job, report }] : [] })
  const chosen = finished.find(({ job }) => job.id === shown) ?? finished.at(0)
  return (
    <StepPage
      step="export" question="Where will it be used?" secondary={chosen && <Button icon="copy" onClick={() => { copy(chosen.report.output, 'Path') }}>Copy path</Button>}
      primary={{ label: 'Show in folder', icon: 'folder', run: () => { if (chosen) void onJob('job.show', chosen.job.id) }, reason: chosen ? null : 'Nothing has been written yet' }}
    >
      {chosen
        ? (
            <>
              {finished.length > 1 && <Select label="Which run" value={chosen.job.id} onChange={(job) => { useApp.setState({ job }) }} choices={finished.map(({ job, report }) => ({ value: job.id, label: `${job.title} (${bytes(report.sizeBytes)})` }))} />}
              <Written report={chosen.report} />
            </>
          )
        : <Panel><Empty icon="file" title="Nothing is written yet" actions={<Button look="primary" onClick={() => { go('run') }}>Go to Run</Button>}>A run writes the file, opens it again, and measures what was written.</Empty></Panel>}
      {!isOfGraph && <OtherTargets done={new Set(finished.map(({ report }) => report.target))} />}
    </StepPage>
  )
}

function Written({ report }: { readonly report: CompressReport }): React.JSX.Element {
  const target = targets.find((one) => one.value === report.target)?.value ?? 'gguf'
  const inputs = useApp((state) => state.open?.summary.graph?.inputs)
  const codes = usages(target, report.output, inputs?.map(({ name: input }) => input))
  const [name, setName] = useState<string | null>(null)
  const code = codes.find((one) => one.name === name) ?? codes[0]
  return (
    <>
      <Banner tone="good" title="Written and verified">
        {report.tokens > 0 ? `The file was opened again, and all ${report.tokens.toLocaleString('en-US')} scored tokens were run through what was written, not through what was planned.` : `The file was opened again${report.samples === undefined ? '' : `, and ${String(report.samples)} samples were run through it`}.`}
      </Banner>
      {report.warnings.length > 0 && <Banner tone="info" title="What to know of this file"><ul className="list-inside list-disc">{report.warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul></Banner>}
      <div className="grid grid-cols-1 gap-4 @4xl:grid-cols-2">
        <Panel title="File">
          <p className="mb-3 font-mono text-sm wrap-anywhere">{report.output}</p>
          <Facts rows={[
            ['Size on disk', `${bytes(report.sizeBytes)} (${report.sizeBytes.toLocaleString('en-US')} bytes)`], ['Bits per weight', bits(report.bitsPerWeight)],
            ...(report.outputs ? graphFacts(report) : textFacts(report)),
          ]} />
          <div className="mt-3 border-t border-line pt-3">
            <p className="text-sm text-ink-3">SHA-256</p>
            <p className="font-mono text-sm break-all">{report.sha256}</p>
          </div>
        </Panel>
        <Panel title="Load it" actions={codes.length > 1 && <Segmented label="With" isLabelHidden size="small" value={code.name} onChange={setName} choices={codes.map((one) => ({ value: one.name, label: one.name }))} />}>
          <CodeBlock label={`Loading with ${code.name}`} text={code.code} onCopy={() => { copy(code.code, 'Loading code') }} />
          <p className="mt-3 text-sm text-ink-2">Beside it: a model card (README.md), the recipe to make it again, and every measured number.</p>
        </Panel>
      </div>
    </>
  )
}

type Rows = React.ComponentProps<typeof Facts>['rows']

function textFacts({ perplexity, perplexityStderr, perplexityReference, klMean, klStderr, sameTop }: CompressReport): Rows {
  const original = perplexityReference === undefined ? '' : `, original ${digits(perplexityReference, 4)}`
  return [
    ['Perplexity', perplexity === undefined ? 'not measured: no text' : `${withError(perplexity, perplexityStderr, 4)}${original}`],
    ['Mean KL', klMean === undefined ? '–' : withError(klMean, klStderr)], ['Same most likely token', sameTop === undefined ? '–' : percent(sameTop)],
  ]
}

function graphFacts({ outputs = [] }: CompressReport): Rows {
  return outputs.map(({ name, sqnr, sameTop }) => [name, `${digits(sqnr)} dB${sameTop === undefined ? '' : `, same class ${percent(sameTop)}`}`])
}

function OtherTargets({ done }: { readonly done: ReadonlySet<string> }): React.JSX.Element {
  const hasMap = useApp((state) => (state.open?.project.measured ?? null) !== null)
  return (
    <Panel title="Another format" isFlush>
      <ul>
        {targets.map(({ value, label, for: where, limits }) => (
          <li key={value} className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line/60 px-3 py-2 last:border-0">
            <span className="w-28 font-medium">{label}</span>
            <span className="min-w-52 flex-1"><span>{where}</span><span className="block text-sm text-ink-3">{limits}</span></span>
            {done.has(value) && <span className="text-sm text-good">written</span>}
            <Button size="small" reason={hasMap ? null : 'Measure the layers first'} onClick={() => { setDraft({ target: value, pins: {} }); go('budget') }}>Plan for {label}</Button>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
