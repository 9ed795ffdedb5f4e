/** @file What a finished job returned, seen as the report it is. Main got it through the contract's schema. */
import type { Generated } from '../../electron/contract/engine.ts'
import type { JobRecord } from '../../electron/contract/job.ts'
import type { CompressReport, Evaluation } from '../../electron/contract/report.ts'
import { isFinished } from './steps.ts'

export function reportOf(job: JobRecord): CompressReport | null {
  return job.request.kind === 'run' && isFinished(job) && job.result !== null ? (job.result as CompressReport) : null
}
export function evaluationOf(job: JobRecord): Evaluation | null {
  return job.request.kind === 'evaluate' && isFinished(job) && job.result !== null ? (job.result as Evaluation) : null
}
export function generatedOf(job: JobRecord): Generated | null {
  return job.request.kind === 'generate' && isFinished(job) && job.result !== null ? (job.result as Generated) : null
}
