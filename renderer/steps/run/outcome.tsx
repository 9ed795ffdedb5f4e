/** @file What came out of a finished run, predicted beside actual. */
import type { JobRecord } from '../../../electron/contract/job.ts'
import { bits, bytes, digits, duration, percent, withError } from '../../state/format.ts'
import { reportOf } from '../../state/report.ts'
import { Banner } from '../../ui/feedback.tsx'
import { Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { OutputTable } from '../compare/output-table.tsx'

export function Outcome({ job }: { readonly job: JobRecord }): React.JSX.Element | null {
  const report = reportOf(job)
  if (!report) return null
  const { predicted } = report
  return (
    <>
      <Banner tone="good" title={`Written and verified: ${report.output}`} />
      <Panel title="Outcome">
        <Figures>
          <Figure value={bytes(report.sizeBytes)} label={<>Size on disk<Term name="size" /></>} note={`${bits(report.bitsPerWeight)}, predicted ${bytes(predicted.sizeBytes)}`} />
          {report.klMean !== undefined && <Figure value={withError(report.klMean, report.klStderr)} label={<>KL divergence<Term name="kl" /></>} />}
          {report.perplexity !== undefined && <Figure value={withError(report.perplexity, report.perplexityStderr, 4)} label={<>Perplexity<Term name="perplexity" /></>} note={report.perplexityReference === undefined ? undefined : `original ${digits(report.perplexityReference, 4)}`} />}
          {report.sameTop !== undefined && <Figure value={percent(report.sameTop)} label={report.outputs ? 'Same most likely class' : <>Same most likely token<Term name="sameTop" /></>} />}
          <Figure value={duration(report.elapsedMs)} label="Time" note={`predicted ${duration(predicted.elapsedMs)}`} />
          <Figure value={bytes(report.peakMemoryBytes)} label="Peak memory" note={`predicted ${bytes(predicted.peakMemoryBytes)}`} />
        </Figures>
      </Panel>
      {report.outputs && report.outputs.length > 0 && <Panel title={`Outputs, over ${String(report.samples ?? 0)} samples`} isFlush><OutputTable outputs={report.outputs} /></Panel>}
    </>
  )
}
