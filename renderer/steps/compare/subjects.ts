/** @file What is compared: the original, uniform baselines and runs, each with the newest numbers known of it. Pure. */
import type { OpenProject } from '../../../electron/contract/api.ts'
import type { JobRecord } from '../../../electron/contract/job.ts'
import type { Evaluation } from '../../../electron/contract/report.ts'
import type { Limit } from '../../../electron/contract/project.ts'
import { evaluationOf, generatedOf, reportOf } from '../../state/report.ts'

export interface Subject {
  /** 'original' or the id of a run. */
  readonly id: string
  readonly name: string
  readonly kind: 'original' | 'uniform' | 'run'
  readonly sizeBytes: number
  readonly bitsPerWeight: number
  readonly perplexity: number | null
  readonly perplexityStderr: number | null
  readonly klMean: number | null
  readonly klStderr: number | null
  readonly kl99: number | null
  readonly sameTop: number | null
  /** Of an ONNX graph's worst output: decibels, and cosine. */
  readonly sqnr: number | null
  readonly cosine: number | null
  /** Of text generated here: speed, and the times of the first and of the other tokens. */
  readonly tokensPerSecond: number | null
  readonly firstTokenMs: number | null
  readonly tokenMs: { readonly median: number; readonly p95: number } | null
  /** Most memory while it was made; null for the original. */
  readonly peakMemoryBytes: number | null
  readonly tokens: number | null
  /** When the quality was measured, and when text was last generated. */
  readonly measuredAt: number | null
  readonly generatedAt: number | null
}

/** Columns that fit side by side. */
const maxRuns = 3

const newest = (jobs: readonly JobRecord[], subject: string, kind: 'evaluate' | 'generate'): JobRecord | undefined =>
  jobs.filter((job) => job.request.kind === kind && 'subject' in job.request && job.request.subject === subject && job.endedAt !== null && job.result !== null).sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))[0]

const least = (values: readonly number[]): number | null => (values.length === 0 ? null : Math.min(...values))

function numbers(evaluation: Evaluation | null): Pick<Subject, 'perplexity' | 'perplexityStderr' | 'klMean' | 'klStderr' | 'kl99' | 'sameTop' | 'sqnr' | 'cosine' | 'tokens'> {
  const outputs = evaluation?.outputs ?? []
  return {
    perplexity: evaluation?.perplexity ?? null, perplexityStderr: evaluation?.perplexityStderr ?? null, klMean: evaluation?.klMean ?? null, klStderr: evaluation?.klStderr ?? null,
    kl99: evaluation?.kl99 ?? null, sameTop: evaluation?.sameTop ?? null, sqnr: least(outputs.map(({ sqnr }) => sqnr)), cosine: least(outputs.map(({ cosine }) => cosine)), tokens: evaluation?.tokens ?? null,
  }
}

export function subjectsOf({ project, summary }: Pick<OpenProject, 'project' | 'summary'>, jobs: readonly JobRecord[]): Subject[] {
  const own = jobs.filter((job) => job.project === project.id)
  const runs = own.flatMap((job) => { const report = reportOf(job); return report ? [{ job, report }] : [] }).sort((a, b) => b.job.createdAt - a.job.createdAt)
  const speed = (subject: string): Pick<Subject, 'tokensPerSecond' | 'firstTokenMs' | 'tokenMs' | 'generatedAt'> => {
    const job = newest(own, subject, 'generate')
    const made = job ? generatedOf(job) : null
    return { tokensPerSecond: made?.tokensPerSecond ?? null, firstTokenMs: made?.firstTokenMs ?? null, tokenMs: made?.tokenMs ?? null, generatedAt: job?.endedAt ?? null }
  }
  const evaluated = newest(own, 'original', 'evaluate')
  const reference = runs.find(({ report }) => report.perplexityReference !== undefined)
  const measured = numbers(evaluated ? evaluationOf(evaluated) : null)
  const original: Subject = {
    id: 'original', name: 'Original', kind: 'original', sizeBytes: summary.sizeBytes, bitsPerWeight: (8 * summary.sizeBytes) / summary.parameters, ...measured,
    perplexity: measured.perplexity ?? reference?.report.perplexityReference ?? null, klMean: 0, klStderr: 0, kl99: 0, sameTop: 1, ...speed('original'), peakMemoryBytes: null, measuredAt: evaluated?.endedAt ?? reference?.job.endedAt ?? null,
  }
  const column = ({ job, report }: (typeof runs)[number]): Subject => {
    const again = newest(own, job.id, 'evaluate')
    const uniform = job.request.kind === 'run' ? job.request.uniform : null
    return {
      id: job.id, name: uniform === null ? job.title.replace(`${project.name}-`, '') : `all ${uniform}`, kind: uniform === null ? 'run' : 'uniform', sizeBytes: report.sizeBytes, bitsPerWeight: report.bitsPerWeight,
      ...numbers(again ? evaluationOf(again) : report), ...speed(job.id), peakMemoryBytes: report.peakMemoryBytes, measuredAt: again?.endedAt ?? job.endedAt,
    }
  }
  const columns = runs.map(column)
  return [original, ...columns.filter(({ kind }) => kind === 'uniform').slice(0, maxRuns), ...columns.filter(({ kind }) => kind === 'run').slice(0, maxRuns)]
}

/** True where two means differ by more than twice the error of their difference. */
export function isClear(a: number, aError: number, b: number, bError: number): boolean {
  return Math.abs(a - b) > 2 * Math.hypot(aError, bError)
}

/** Measures of which more is better. */
export const isAtLeast = (measure: Limit['measure']): boolean => measure === 'sameTop' || measure === 'sqnr' || measure === 'tokensPerSecond'

export interface Verdict { readonly limit: Limit; readonly isMet: boolean | null; readonly found: number | null }

/** Each limit against one model; null where it has not been measured. */
export function verdicts(limits: readonly Limit[], subject: Subject, original: Subject): Verdict[] {
  const found: Record<Limit['measure'], number | null> = {
    klMean: subject.klMean, sameTop: subject.sameTop, sqnr: subject.sqnr, sizeBytes: subject.sizeBytes, tokensPerSecond: subject.tokensPerSecond,
    perplexityIncrease: subject.perplexity !== null && original.perplexity !== null ? subject.perplexity / original.perplexity - 1 : null,
  }
  return limits.map((limit) => {
    const value = found[limit.measure]
    return { limit, found: value, isMet: value === null ? null : isAtLeast(limit.measure) ? value >= limit.value : value <= limit.value }
  })
}
