/**
 * @file A weight of the base as the block graphs take it: packed (codes, scales, zero points of QMatMul) where it is quantized,
 * dense where it is not. A quantized weight is never dense: it is taken apart once and stays as codes.
 */
import { kernels, type PlaneFormat, type Tensor } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import type { LinearKind } from '../../graph/decoder/layers.ts'

export interface PackedWeight {
  readonly weight: 'packed'
  /** [out, in] */
  readonly shape: readonly [number, number]
  readonly format: PlaneFormat
  readonly codes: Uint8Array
  /** [out, groups], as are the zero points; null where they are 2^(bits − 1), bytes where all are whole. */
  readonly scales: Float32Array
  readonly zeros: Float32Array | Uint8Array | null
}

export interface DenseWeight {
  readonly weight: 'dense'
  readonly shape: readonly [number, number]
  readonly values: Float32Array
}

export type BaseWeight = PackedWeight | DenseWeight

/** Takes a quantized weight apart; `bytes` are its codec's blocks, row by row. */
export async function packedWeight(codec: CodecName, format: PlaneFormat, [rows, cols]: readonly [number, number], bytes: Uint8Array): Promise<PackedWeight> {
  const groups = format.group === 0 ? 1 : cols / format.group
  const codes = new Uint8Array(rows * Math.ceil((cols * format.bits) / 8))
  const scales = new Float32Array(rows * groups)
  const zeros = format.zeros ? new Float32Array(rows * groups) : null
  await kernels().planes(codec, { rows, cols }, bytes, codes, scales, zeros)
  return { weight: 'packed', shape: [rows, cols], format, codes, scales, zeros: zeros && smallest(zeros) }
}

/** Zero points as bytes where they are, as those of integers are. */
function smallest(zeros: Float32Array): Float32Array | Uint8Array {
  const bytes = Uint8Array.from(zeros)
  return zeros.every((zero, at) => zero === bytes[at]) ? bytes : zeros
}

/** How the weight enters a graph; with a branch of `rank` where that is not 0. */
export function kindOf(base: BaseWeight, rank: number): LinearKind {
  const branch = rank === 0 ? {} : { branch: { rank } }
  return base.weight === 'dense' ? { weight: 'dense', ...branch } : { weight: 'packed', ...base.format, ...branch }
}

/** The graph inputs of the weight under `name`. */
export function weightFeeds(name: string, base: BaseWeight): Record<string, Tensor> {
  const [rows] = base.shape
  if (base.weight === 'dense') return { [name]: { type: 'float32', dims: base.shape, data: base.values } }
  const { codes, scales, zeros } = base
  const groups = scales.length / rows
  return {
    [`${name}.codes`]: { type: 'uint8', dims: [rows, codes.length / rows], data: codes },
    [`${name}.scales`]: { type: 'float32', dims: [rows, groups], data: scales },
    ...(zeros !== null && { [`${name}.zeros`]: { type: 'float32' as const, dims: [rows, groups], data: zeros instanceof Float32Array ? zeros : new Float32Array(zeros) } }),
  }
}

export interface ArrayMap {
  readonly floats: (array: Float32Array) => Float32Array
  readonly bytes: (array: Uint8Array) => Uint8Array
}

/** A weight with other arrays in the place of its own, always in the same order. */
export function withArrays(weight: BaseWeight, { floats, bytes }: ArrayMap): BaseWeight {
  if (weight.weight === 'dense') return { ...weight, values: floats(weight.values) }
  const { codes, scales, zeros } = weight
  return { ...weight, codes: bytes(codes), scales: floats(scales), zeros: zeros instanceof Float32Array ? floats(zeros) : zeros && bytes(zeros) }
}

/** Bytes a weight keeps in memory. */
export function residentBytes(base: BaseWeight): number {
  return base.weight === 'dense' ? base.values.byteLength : base.codes.byteLength + base.scales.byteLength + (base.zeros?.byteLength ?? 0)
}
