/**
 * @file How an option stores a layer of an ONNX graph in stock operators: MatMulNBits and GatherBlockQuantized planes for
 * products and tables, DequantizeLinear codes for convolutions and weights read as they are, or plain 16 bits. The parts' bytes are what a plan counts.
 */
import type { CodecName } from '../../contract/options.ts'
import type { OptionBytes } from '../budget/option-bytes.ts'
import { intFormats, type IntFormat } from '../budget/option-bytes.ts'
import { planeRowBytes, planeShape } from '../export/onnx-planes.ts'
import { byteLength } from '../graph/element.ts'
import type { DataType } from '../../../kernels/kernels.ts'
import type { GraphLayer } from './layers.ts'

/** What the bytes of a part are made from. */
export type PartRole = 'codes' | 'scales' | 'zeros' | 'half'

export interface StoredPart {
  readonly role: PartRole
  readonly type: DataType
  readonly dims: readonly number[]
}

/** `planes`: operators of com.microsoft; `dequantize`: DequantizeLinear in front of the convolution; `half`: float16 and a Cast; `source`: as it was. */
export interface Storage {
  readonly form: 'planes' | 'dequantize' | 'half' | 'source'
  readonly format: IntFormat | null
  /** Columns of the codec's rows: those of the layer, filled up to whole groups for operators on planes. */
  readonly cols: number
  readonly parts: readonly StoredPart[]
}

export interface StoredLayer {
  readonly kind: GraphLayer['kind']
  readonly shape: readonly number[]
  readonly layout?: GraphLayer['layout'] | undefined
  readonly dims?: readonly number[] | undefined
}

/** Whether no stock operator takes the layer's weight packed. */
const isUnpacked = ({ kind, isDense }: Pick<GraphLayer, 'kind' | 'isDense'>): boolean => kind === 'conv' || isDense

/** Options worth measuring by growing size: one format a step, the best of its kind. */
const wanted: Readonly<Record<GraphLayer['kind'], readonly CodecName[]>> = {
  matmul: ['int2-g32', 'int4-g128', 'int4-g64', 'int4-g32', 'int8-g64', 'int8-g32'],
  embedding: ['int2-g32', 'int4-g64', 'int4-g32', 'int8-g64', 'int8-g32'],
  conv: ['int4-channel', 'int4-g64', 'int4-g32', 'int8-channel'],
}

/**
 * Those for a layer: without groups that are coarser and no smaller, as where 96 columns are filled up to 128. Of 8 bits the smallest
 * is enough.
 */
export function wantedOptions(layer: GraphLayer): readonly CodecName[] {
  const names = wanted[isUnpacked(layer) ? 'conv' : layer.kind]
  const sized = names.map((name) => ({ ...intFormats.get(name), size: graphOptionBytes(layer, name) }))
  return names.filter((_, index) => {
    const { bits, group, size } = sized[index]
    return !sized.some((other) => 'bytes' in size && 'bytes' in other.size && other.bits === bits && typeof group === 'number' && typeof other.group === 'number'
      && (other.group < group ? other.size.bytes <= size.bytes : bits === 8 && other.group > group && other.size.bytes < size.bytes))
  })
}

/** All options of graphs, widest first. */
export const graphOptions: readonly CodecName[] = ['F32', 'F16', ...[...intFormats.values()].flatMap(({ bits, group, isSymmetric }): CodecName[] => (bits === 3 ? [] : [`int${bits}-${group === 'channel' ? 'channel' : `g${group}`}${isSymmetric ? '-sym' : ''}` as CodecName]))]

/** How `option` stores a layer, or why it cannot. */
export function storageOf(layer: GraphLayer, option: string): Storage | { readonly reason: string } {
  const { shape, initializer, layout } = layer
  const [rows, cols] = shape
  if (option === 'F32') return { form: 'source', format: null, cols, parts: [] }
  if (option === 'F16') return initializer.type === 'float16' ? { form: 'source', format: null, cols, parts: [] } : { form: 'half', format: null, cols, parts: [{ role: 'half', type: 'float16', dims: initializer.dims }] }
  const format = intFormats.get(option)
  if (format === undefined || !graphOptions.some((name) => name === option)) return { reason: format?.bits === 3 ? 'stock ONNX Runtime computes with 2, 4 and 8 bits' : `ONNX graphs have no ${option}` }
  return isUnpacked(layer) ? dequantized(format, rows, cols, layout) : planes(format, rows, cols)
}

function planes(format: IntFormat, rows: number, cols: number): Storage | { readonly reason: string } {
  const { bits, group, isSymmetric } = format
  if (group === 'channel') return { reason: 'MatMulNBits and GatherBlockQuantized have groups of 32, 64 or 128' }
  if (cols < group) return { reason: `${cols} columns are fewer than the group's ${group}` }
  const padded = Math.ceil(cols / group) * group
  const shape = planeShape(rows, padded, format)
  const codes: StoredPart = { role: 'codes', type: 'uint8', dims: [rows, shape.groups, (group * bits) / 8] }
  const scales: StoredPart = { role: 'scales', type: 'float16', dims: [rows, shape.groups] }
  const zeros: StoredPart = { role: 'zeros', type: 'uint8', dims: [rows, planeRowBytes(shape, 'zeros')] }
  return { form: 'planes', format, cols: padded, parts: isSymmetric ? [codes, scales] : [codes, scales, zeros] }
}

function dequantized(format: IntFormat, rows: number, cols: number, layout: GraphLayer['layout']): Storage | { readonly reason: string } {
  const { bits, group, isSymmetric } = format
  if (bits === 2) return { reason: 'DequantizeLinear holds 4 and 8 bits' }
  if (group !== 'channel' && cols % group !== 0) return { reason: `${cols} columns are not a multiple of ${group}` }
  const type: DataType = `${isSymmetric ? '' : 'u'}int${bits as 4 | 8}`
  const groups = group === 'channel' ? 1 : cols / group
  const oriented = (across: number): readonly number[] => (layout === 'in-out-taps' ? [across, rows] : [rows, across])
  const perGroup = group === 'channel' ? [rows] : oriented(groups)
  const parts: StoredPart[] = [{ role: 'codes', type, dims: oriented(cols) }, { role: 'scales', type: 'float16', dims: perGroup }]
  return { form: 'dequantize', format, cols, parts: isSymmetric ? parts : [...parts, { role: 'zeros', type, dims: perGroup }] }
}

/** Bytes of the layer under an option, or why it cannot take it. */
export function graphOptionBytes(layer: GraphLayer, option: string): OptionBytes {
  const storage = storageOf(layer, option)
  if ('reason' in storage) return storage
  if (storage.form === 'source') return { bytes: byteLength(layer.initializer.type, layer.initializer.dims) }
  return { bytes: storage.parts.reduce((sum, { type, dims }) => sum + byteLength(type, dims), 0) }
}
