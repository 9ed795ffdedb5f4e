/** @file One small packed layer and its product, for the tests of what is trained in it. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import { createRandom } from '../../evaluate/sampling.ts'
import { createBuilder } from '../../graph/builder.ts'
import { linear } from '../../graph/decoder/layers.ts'
import type { Graph } from '../../graph/graph.ts'
import { kindOf, packedWeight, type PackedWeight } from '../base/weight.ts'

export const ROWS = 3
export const COLS = 512
export const BATCH = 4
/** float32 sums over 512 columns. */
export const TOLERANCE = 1e-4

const shape = { rows: ROWS, cols: COLS }

/** Values between −1 and 1 from a seed. */
export function noise(length: number, seed: number): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length }, () => 2 * random() - 1)
}

/** The layer's noise in a codec. */
export async function encoded(codec: CodecName): Promise<Uint8Array> {
  const bytes = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, noise(ROWS * COLS, 1), null, 'search', bytes)
  return bytes
}

export async function decoded(codec: CodecName, bytes: Uint8Array): Promise<Float32Array> {
  const values = new Float32Array(ROWS * COLS)
  await kernels().decode(codec, shape, bytes, values)
  return values
}

/** The layer as the graphs take it. */
export async function packed(codec: CodecName, bytes: Uint8Array): Promise<PackedWeight> {
  const format = kernels().planeFormat(codec)
  if (format === undefined) throw new Error(`${codec} has no codes`)
  return packedWeight(codec, format, [ROWS, COLS], bytes)
}

/** y = x Ŵᵀ over the packed weight. */
export function product(weight: PackedWeight): Graph {
  const b = createBuilder()
  const y = linear(b, b.input('x', 'float32', ['rows', COLS]), { name: 'q', shape: [ROWS, COLS], bias: false, kind: kindOf(weight, 0) })
  b.output(b.one('Identity', [y], {}, { outputs: ['y'] }), 'float32', ['rows', ROWS])
  return b.build('product')
}
