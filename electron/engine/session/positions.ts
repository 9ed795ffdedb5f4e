/** @file What the graphs are fed about positions: rotary tables, ALiBi's bias, masks, learned rows. The last context of each kind is kept. */
import type { Tensor } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { alibiBias, causalMask } from '../graph/decoder/mask.ts'
import { ropeTables } from '../graph/decoder/rope.ts'
import type { DecoderSpec } from '../graph/decoder/spec.ts'

export interface Contexts {
  /** Inputs of a block for positions past … past + time; `length` is the context that dynamic rotary scalings go by. */
  feeds(sliding: boolean, past: number, time: number, length?: number): Readonly<Record<string, Tensor>>
  /** Input of the embed graph for models with learned positions; nothing for others. */
  learned(past: number, time: number, table: Float32Array | undefined): Readonly<Record<string, Tensor>>
}

function make(spec: DecoderSpec, sliding: boolean, past: number, time: number, length: number): Readonly<Record<string, Tensor>> {
  const total = past + time
  const mask: Tensor = { type: 'float32', dims: [time, total], data: causalMask(time, past, sliding ? spec.window : null) }
  if (spec.positions.kind === 'alibi') return { mask, bias: { type: 'float32', dims: [spec.heads, 1, total], data: alibiBias(spec.heads, total) } }
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
    feeds(sliding, past, time, length = past + time) {
      const key = `${past} ${time} ${length}`
      const known = last.get(sliding)
      if (known?.key === key) return known.feeds
      const feeds = make(spec, sliding, past, time, length)
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
