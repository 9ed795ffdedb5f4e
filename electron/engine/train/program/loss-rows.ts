/**
 * @file The positions of a batch whose predictions are judged, gathered into rows, and what the terms compare them with. Positions
 * that teach nothing cost nothing at the head.
 */
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { DecoderSpec } from '../../graph/decoder/spec.ts'
import type { LogitTerm } from '../objectives/objective.ts'
import type { Targets } from '../targets/targets.ts'
import { UNSCORED, type Batch, type TrainingWindow } from '../window.ts'

/** What means are taken over: all micro-batches of a step together. */
export interface Totals {
  /** Positions with a label; positions compared with the teacher; all positions; windows. */
  readonly labels: number
  readonly judged: number
  readonly real: number
  readonly windows: number
}

function countOf(values: ArrayLike<number>, isCounted: (value: number) => boolean): number {
  let count = 0
  for (let at = 0; at < values.length; at++) if (isCounted(values[at])) count++
  return count
}

export function totalsOf(batches: readonly Batch[]): Totals {
  const sum = (one: (batch: Batch) => number): number => batches.reduce((total, batch) => total + one(batch), 0)
  return {
    labels: sum(({ labels }) => countOf(labels, (label) => label !== UNSCORED)),
    judged: sum(({ judged }) => countOf(judged, (value) => value === 1)),
    real: sum(({ real }) => countOf(real, (value) => value === 1)),
    windows: sum(({ count }) => count),
  }
}

/** Places of the judged positions in the batch, in order. */
export function judgedPlaces({ judged }: Batch): Int32Array {
  const places = new Int32Array(countOf(judged, (value) => value === 1))
  let row = 0
  for (let place = 0; place < judged.length; place++) if (judged[place] === 1) places[row++] = place
  return places
}

/** Rows of `values` [·, width] at places. */
export function gatherRows(values: Float32Array, places: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(places.length * width)
  for (const [row, place] of places.entries()) rows.set(values.subarray(place * width, (place + 1) * width), row * width)
  return rows
}

/** Puts rows back to their places in `into`. */
export function scatterRows(rows: Float32Array, places: Int32Array, width: number, into: Float32Array): void {
  for (const [row, place] of places.entries()) into.set(rows.subarray(row * width, (row + 1) * width), place * width)
}

export interface RowSource {
  readonly spec: DecoderSpec
  readonly batch: Batch
  readonly windows: readonly TrainingWindow[]
  readonly targets: Targets | null
  readonly totals: Totals
}

type Feeds = Record<string, Tensor>

function column(name: string, values: Float32Array): Feeds {
  return { [name]: { type: 'float32', dims: [values.length, 1], data: values } }
}

function targetsOf({ targets }: RowSource): Targets {
  if (targets === null) throw new Error('an objective with a teacher, and no targets')
  return targets
}

/** Calls `visit` for every place: its row, its window and its position there. */
async function eachPlace({ batch: { time }, windows }: RowSource, places: Int32Array, prepare: (window: TrainingWindow) => Promise<(row: number, position: number) => void>): Promise<void> {
  let current = -1
  let visit: (row: number, position: number) => void = () => undefined
  for (const [row, place] of places.entries()) {
    const window = Math.floor(place / time)
    if (window !== current) visit = await prepare(windows[window])
    current = window
    visit(row, place % time)
  }
}

/** Inputs of every term for the rows at `places`. */
export const termFeeds: Readonly<Record<LogitTerm, (source: RowSource, places: Int32Array) => Promise<Feeds>>> = {
  ce({ batch: { labels }, totals }, places) {
    const chosen = BigInt64Array.from(places, (place) => BigInt(Math.max(0, labels[place])))
    const weights = Float32Array.from(places, (place) => (labels[place] === UNSCORED ? 0 : 1 / totals.labels))
    return Promise.resolve({ labels: { type: 'int64', dims: [places.length, 1], data: chosen }, ...column('ce.weight', weights) })
  },
  async kl(source, places) {
    const { spec: { hidden, blocks }, totals } = source
    const teacher = new Float32Array(places.length * hidden)
    await eachPlace(source, places, async (window) => {
      const state = await targetsOf(source).state(window, blocks - 1)
      return (row, position) => teacher.set(state.subarray(position * hidden, (position + 1) * hidden), row * hidden)
    })
    return { teacher: { type: 'float32', dims: [places.length, hidden], data: teacher }, ...column('kl.weight', new Float32Array(places.length).fill(1 / totals.judged)) }
  },
  async 'kl-top'(source, places) {
    const { windows, totals } = source
    const { k } = await targetsOf(source).top(windows[0])
    const tokens = new BigInt64Array(places.length * k)
    const log = new Float32Array(places.length * k)
    const rest = new Float32Array(places.length)
    await eachPlace(source, places, async (window) => {
      const top = await targetsOf(source).top(window)
      return (row, position) => {
        for (let at = 0; at < k; at++) tokens[row * k + at] = BigInt(top.tokens[position * k + at])
        log.set(top.log.subarray(position * k, (position + 1) * k), row * k)
        rest[row] = top.rest[position]
      }
    })
    const dims = [places.length, k]
    return {
      'top.tokens': { type: 'int64', dims, data: tokens },
      'top.log': { type: 'float32', dims, data: log },
      ...column('top.rest', rest),
      ...column('kl-top.weight', new Float32Array(places.length).fill(1 / totals.judged)),
    }
  },
}
