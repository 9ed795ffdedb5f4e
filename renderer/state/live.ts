/** @file What a job says while it runs, folded into what is shown: map cells, curves, finished tensors, the log. Pure. */
import type { Stage, TimedEvent } from '../../electron/contract/events.ts'

/** Older points and lines are dropped: the files keep them. */
const maxLog = 2000
const maxPoints = 5000

export interface Cell { readonly value: number; readonly stderr: number; readonly bytes: number }
export interface LogLine { readonly level: 'info' | 'warning'; readonly text: string }
/** A piece of work: bytes of a layer that was stored, or one step of training, and how long it took. */
export interface Piece { readonly name: string; readonly amount: number; readonly ms: number }
export interface Live {
  readonly cells: Readonly<Record<string, Readonly<Record<string, Cell>>>>
  readonly series: Readonly<Record<string, { readonly step: readonly number[]; readonly value: readonly number[] }>>
  readonly tensors: readonly { readonly name: string; readonly option: string; readonly bytes: number; readonly error: number }[]
  readonly stages: readonly Stage[]
  readonly log: readonly LogLine[]
  readonly stored: readonly Piece[]
  readonly trained: readonly Piece[]
  /** When the last piece of work ended, or its stage began; null before. */
  readonly lapAt: number | null
}
export const emptyLive: Live = { cells: {}, series: {}, tensors: [], stages: [], log: [], stored: [], trained: [], lapAt: null }

/** One pass over a batch: a batch of hundreds of cells makes one new object a layer, not one a cell. */
export function foldEvents(live: Live, events: readonly TimedEvent[]): Live {
  const cells: Record<string, Record<string, Cell>> = {}
  const series: Record<string, { step: number[]; value: number[] }> = {}
  const tensors: Live['tensors'][number][] = []
  const stages: Stage[] = []
  const log: LogLine[] = []
  const stored: Piece[] = []
  const trained: Piece[] = []
  let { lapAt } = live
  const lap = (pieces: Piece[], { at }: TimedEvent, name: string, amount: number): void => {
    if (lapAt !== null) pieces.push({ name, amount, ms: at - lapAt })
    lapAt = at
  }
  for (const event of events) {
    switch (event.type) {
      case 'cell': (cells[event.layer] ??= { ...live.cells[event.layer] })[event.option] = { value: event.value, stderr: event.stderr, bytes: event.bytes }; break
      case 'point': {
        const line = (series[event.series] ??= { step: [...(live.series[event.series]?.step ?? [])], value: [...(live.series[event.series]?.value ?? [])] })
        line.step.push(event.step)
        line.value.push(event.value)
        if (event.series === 'loss') lap(trained, event, `step ${String(event.step)}`, 1)
        break
      }
      case 'tensor':
        lap(stored, event, event.name, event.bytes)
        tensors.push({ name: event.name, option: event.option, bytes: event.bytes, error: event.error })
        log.push({ level: 'info', text: `${event.name} is stored as ${event.option}, ${String(event.bytes)} bytes, error ${event.error.toPrecision(3)}` })
        break
      case 'stage':
        lapAt = event.at
        stages.push(event.stage)
        log.push({ level: 'info', text: `${event.stage} begins${event.total === null ? '' : `, ${String(event.total)} to do`}` })
        break
      case 'log': log.push({ level: event.level, text: event.text }); break
      case 'failed': log.push({ level: 'warning', text: event.error.message }); break
      case 'progress': case 'done': break // kept in the job's own record
      default: event satisfies never
    }
  }
  for (const line of Object.values(series)) {
    line.step.splice(0, line.step.length - maxPoints)
    line.value.splice(0, line.value.length - maxPoints)
  }
  return {
    cells: { ...live.cells, ...cells },
    series: { ...live.series, ...series },
    tensors: tensors.length > 0 ? [...live.tensors, ...tensors] : live.tensors,
    stages: stages.length > 0 ? [...live.stages, ...stages] : live.stages,
    log: log.length > 0 ? [...live.log, ...log].slice(-maxLog) : live.log,
    stored: stored.length > 0 ? [...live.stored, ...stored] : live.stored,
    trained: trained.length > 0 ? [...live.trained, ...trained].slice(-maxPoints) : live.trained,
    lapAt,
  }
}
