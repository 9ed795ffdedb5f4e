/** @file What the graphs are fed about positions: rotary tables, ALiBi's bias, masks, learned rows. The last context of each kind is kept. */
import type { Tensor } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { alibiBias, causalMask, HIDDEN } from '../graph/decoder/mask.ts'
import { ropeTables } from '../graph/decoder/rope.ts'
import type { DecoderSpec } from '../graph/decoder/spec.ts'

export interface ContextSize {
  /** The context that dynamic rotary scalings go by; what is there with these positions unless told. */
  readonly length?: number | undefined
  /** Positions that the keys and values given have room for; those that are there unless told. */
  readonly capacity?: number
}

export interface Contexts {
  /** Inputs of a block for positions past … past + time. */
  feeds(sliding: boolean, past: number, time: number, size?: ContextSize): Readonly<Record<string, Tensor>>
  /** Input of the embed graph for models with learned positions; nothing for others. */
  learned(past: number, time: number, table: Float32Array | undefined): Readonly<Record<string, Tensor>>
}

/** Rows with `gap` more columns from column `at` on. */
function withGap(values: Float32Array, rows: number, at: number, gap: number, filling: number): Float32Array {
  if (gap === 0) return values
  const width = values.length / rows
  const spread = new Float32Array(rows * (width + gap)).fill(filling)
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * width, row * (width + gap)]
    spread.set(values.subarray(from, from + at), to)
    spread.set(values.subarray(from + at, from + width), to + at + gap)
  }
  return spread
}

function make(spec: DecoderSpec, sliding: boolean, past: number, time: number, { length = past + time, capacity = past }: ContextSize): Readonly<Record<string, Tensor>> {
  const gap = capacity - past
  const total = capacity + time
  const mask: Tensor = { type: 'float32', dims: [time, total], data: withGap(causalMask(time, past, sliding ? spec.window : null), time, past, gap, HIDDEN) }
  if (spec.positions.kind === 'alibi') return { mask, bias: { type: 'float32', dims: [spec.heads, 1, total], data: withGap(alibiBias(spec.heads, past + time), spec.heads, past, gap, 0) } }
  if (spec.positions.kind === 'learned') return { mask }
  const rope = sliding ? spec.positions.local : spec.positions.rope
  const { cos, sin } = ropeTables(rope, past, time, length)
  const dims = [time, rope.dimensions / 2]
  return { mask, cos: { type: 'float32', dims, data: cos }, sin: { type: 'float32', dims, data: sin } }
}

/** Position inputs for the blocks of a model. */
export function openContexts(spec: DecoderSpec): Contexts {
  const last = new Map<boolean, { key: string; feeds: Readonly<Record<string, Tensor>> }>()
  return {
    feeds(sliding, past, time, size = {}) {
      const key = `${past} ${time} ${size.length} ${size.capacity}`
      const known = last.get(sliding)
      if (known?.key === key) return known.feeds
      const feeds = make(spec, sliding, past, time, size)
      last.set(sliding, { key, feeds })
      return feeds
    },
    learned(past, time, table) {
      if (spec.positions.kind !== 'learned') return {}
      const { offset, rows } = spec.positions
      if (table === undefined || past + time + offset > rows) {
        throw new AppError('bad-data', `found a text of ${past + time} positions, expected at most ${rows - offset}: the model has no more`, { hint: 'Use shorter windows.' })
      }
      return { positions: { type: 'float32', dims: [time, spec.hidden], data: table.subarray((past + offset) * spec.hidden, (past + time + offset) * spec.hidden) } }
    },
  }
}
