/** @file The first rows as the model sees them: each token with its own ground, its number on hover. */
import type { DataPreview } from '../../../electron/contract/engine.ts'

/** More of a row says nothing new. */
const maxTokens = 120

export function Samples({ samples }: { readonly samples: DataPreview['samples'] }): React.JSX.Element {
  if (samples.length === 0) return <p className="text-ink-2">There is no row to show.</p>
  return (
    <ol className="flex flex-col gap-3">
      {samples.map(({ tokens, pieces }, i) => (
        <li key={i} className="flex gap-3">
          <span className="w-5 shrink-0 text-right text-sm text-ink-3 tnum">{i + 1}</span>
          <p className="min-w-0 font-mono text-sm leading-6 whitespace-pre-wrap wrap-anywhere">
            {pieces.slice(0, maxTokens).map((piece, j) => <span key={j} title={`token ${String(tokens[j])}`} className={`rounded-[3px] py-0.5 ${j % 2 === 0 ? 'bg-surface-3' : 'bg-accent-soft/60'}`}>{piece.replaceAll('\n', '↵\n')}</span>)}
            {pieces.length > maxTokens && <span className="text-ink-3"> … {pieces.length - maxTokens} more tokens</span>}
          </p>
        </li>
      ))}
    </ol>
  )
}
