/** @file Outputs of an exported graph against the original's, over held-out samples. */
import type { OutputQuality } from '../../../electron/contract/graph.ts'
import { digits, percent } from '../../state/format.ts'
import { Term } from '../../ui/terms.tsx'

export function OutputTable({ outputs }: { readonly outputs: readonly OutputQuality[] }): React.JSX.Element {
  const hasClasses = outputs.some(({ sameTop }) => sameTop !== undefined)
  const head = 'h-9 px-3 text-right font-medium'
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Outputs">
      <table className="w-full">
        <thead>
          <tr className="border-b border-line text-sm text-ink-2">
            <th scope="col" className="h-9 px-3 text-left font-medium">Output</th>
            <th scope="col" className={head}><span className="inline-flex items-center">Signal to noise<Term name="sqnr" /></span></th>
            <th scope="col" className={head}>Cosine</th>
            {hasClasses && <><th scope="col" className={head}>Same most likely class</th><th scope="col" className={head}>Mean KL</th></>}
          </tr>
        </thead>
        <tbody>
          {outputs.map(({ name, sqnr, cosine, sameTop, klMean }) => (
            <tr key={name} className="border-b border-line/60 last:border-0">
              <th scope="row" className="h-9 px-3 text-left font-mono text-sm font-normal">{name}</th>
              <td className="px-3 text-right tnum">{digits(sqnr)} dB</td>
              <td className="px-3 text-right tnum">{cosine.toFixed(4)}</td>
              {hasClasses && <><td className="px-3 text-right tnum">{sameTop === undefined ? '–' : percent(sameTop)}</td><td className="px-3 text-right tnum">{klMean === undefined ? '–' : digits(klMean)}</td></>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
