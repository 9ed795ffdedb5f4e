/**
 * @file Weights in an exported graph, by storage: MatMulNBits and GatherBlockQuantized over packed planes, Gemm and Gather over
 * dense F16 or F32. Scales and F16 weights are stored in 16 bits and widened by a Cast that the runtime folds when it loads;
 * quantized weights are never widened as a whole.
 */
import { AppError } from '../../contract/errors.ts'
import { intFormats } from '../budget/option-bytes.ts'
import type { Attributes, Builder } from '../graph/builder.ts'
import type { Attribute, Initializer } from '../graph/graph.ts'
import { planePieces, planeShape, type Plane, type PlaneShape } from './onnx-planes.ts'
import type { ExternalData, Part } from './onnx-data.ts'

/** How exactly products are computed: `exact` in float32 throughout, `fast` with activations rounded to 8 bits. */
export const accuracies = ['exact', 'balanced', 'fast'] as const
export type Accuracy = (typeof accuracies)[number]

/** MatMulNBits' accuracy_level by bits: 0 is float32, 4 is 8-bit activations. At 2 and 8 bits level 0 is some 200 times slower. */
const accuracyLevels: Readonly<Record<Accuracy, (bits: number) => number>> = { exact: () => 0, balanced: (bits) => (bits === 4 ? 0 : 4), fast: () => 4 }

/** Where an export's weights come from and go to. */
export interface WeightStore {
  readonly b: Builder
  readonly data: Pick<ExternalData, 'add'>
  readonly accuracy: Accuracy
  /** The codec's bytes of a layer. */
  readonly read: (layer: string) => Promise<Uint8Array>
}

/** A weight that has been put into the graph. */
export type StoredWeight =
  | { readonly kind: 'packed'; readonly name: string; readonly shape: PlaneShape; readonly codes: Initializer; readonly scales: string; readonly zeros: string }
  | { readonly kind: 'dense'; readonly rows: number; readonly cols: number; readonly stored: string; readonly isHalf: boolean }

const microsoft = { domain: 'com.microsoft' }
const float32 = 1 // ONNX's number of the type
const dense: Readonly<Record<string, 'float16' | 'float32'>> = { F16: 'float16', F32: 'float32' }

/** Adds the tensors of a layer stored as `option`, [rows, cols]. */
export function storeWeight(store: WeightStore, name: string, [rows, cols]: readonly [number, number], option: string): StoredWeight {
  const format = intFormats.get(option)
  if (format === undefined) return storeDense(store, name, rows, cols, option)
  const shape = planeShape(rows, cols, format)
  if (!Number.isInteger(shape.groups) || format.group === 'channel' || format.bits === 3) throw notHeld(name, option)
  const parts: (Part & { readonly plane: Plane })[] = [
    { plane: 'codes', name: `${name}.codes`, type: 'uint8', dims: [rows, (cols * shape.bits) / 8] },
    { plane: 'scales', name: `${name}.scales`, type: 'float16', dims: [rows, shape.groups] },
    ...(shape.isSymmetric ? [] : [{ plane: 'zeros' as const, name: `${name}.zeros`, type: 'uint8' as const, dims: [rows, Math.ceil((shape.groups * shape.bits) / 8)] }]),
  ]
  const [codes, scales, zeros] = store.data.add(name, parts.map(({ name: part, type, dims }) => ({ name: part, type, dims })), async function* () {
    const bytes = await store.read(name)
    for (const { plane } of parts) yield* planePieces(bytes, shape, plane)
  })
  const widened = store.b.one('Cast', [store.b.initializer(scales)], { to: { int: float32 } })
  return { kind: 'packed', name, shape, codes, scales: widened, zeros: zeros === undefined ? '' : store.b.initializer(zeros) }
}

function storeDense({ b, data, read }: WeightStore, name: string, rows: number, cols: number, option: string): StoredWeight {
  const type = Object.hasOwn(dense, option) ? dense[option] : undefined
  if (type === undefined) throw notHeld(name, option)
  const [initializer] = data.add(name, [{ name: `${name}.weight`, type, dims: [rows, cols] }], async () => [await read(name)])
  return { kind: 'dense', rows, cols, stored: b.initializer(initializer), isHalf: type === 'float16' }
}

function notHeld(name: string, option: string): AppError {
  return new AppError('bad-recipe', `layer ${name}: found option ${option}, expected one that stock ONNX Runtime computes with`, { hint: 'Plan again for the target onnx.' })
}

/** Integer attributes. */
function ints(values: Readonly<Record<string, number>>): Attributes {
  return Object.fromEntries(Object.entries(values).map(([name, value]): [string, Attribute] => [name, { int: value }]))
}

/** x [batch, time, cols] · Wᵀ → [batch, time, rows]. A table that is also looked up shares its bytes in the file. */
export function multiply({ b, accuracy }: WeightStore, x: string, weight: StoredWeight, bias: string | null): string {
  if (weight.kind === 'packed') {
    const { rows, groups, group, bits } = weight.shape
    const codes = b.initializer({ ...weight.codes, name: `${weight.name}.matrix`, dims: [rows, groups, (group * bits) / 8] })
    const attributes = ints({ N: rows, K: groups * group, bits, block_size: group, accuracy_level: accuracyLevels[accuracy](bits) })
    const product = b.one('MatMulNBits', [x, codes, weight.scales, ...(weight.zeros === '' ? [] : [weight.zeros])], attributes, microsoft)
    return bias === null ? product : b.one('Add', [product, bias])
  }
  const matrix = weight.isHalf ? b.one('Cast', [weight.stored], { to: { int: float32 } }) : weight.stored
  const flat = b.one('Gemm', [b.one('Reshape', [x, b.ints([-1, weight.cols])]), matrix, ...(bias === null ? [] : [bias])], { transB: { int: 1 } })
  const leading = b.one('Shape', [x], { start: { int: 0 }, end: { int: -1 } })
  return b.one('Reshape', [flat, b.one('Concat', [leading, b.ints([weight.rows])], { axis: { int: 0 } })])
}

/** Rows of a table by token: ids [batch, time] → [batch, time, cols]. */
export function lookUp({ b }: WeightStore, ids: string, weight: StoredWeight): string {
  if (weight.kind === 'packed') {
    const { bits, group } = weight.shape
    const inputs = [b.initializer(weight.codes), ids, weight.scales, ...(weight.zeros === '' ? [] : [weight.zeros])]
    return b.one('GatherBlockQuantized', inputs, ints({ bits, block_size: group, gather_axis: 0, quantize_axis: 1 }), microsoft)
  }
  const rows = b.one('Gather', [weight.stored, ids], { axis: { int: 0 } })
  return weight.isHalf ? b.one('Cast', [rows], { to: { int: float32 } }) : rows
}
