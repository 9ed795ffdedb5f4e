/**
 * @file Which options each target can hold for a layer, and the exact bytes of the layer's tensors in that target's layout.
 * gguf: whole blocks, rows must be multiples of the block. onnx: MatMulNBits and GatherBlockQuantized planes (packed codes,
 * fp16 scales, packed zero points). safetensors: the GPTQ layout (qweight, qzeros, scales, g_idx). Headers, alignment and
 * everything that does not depend on the option are the exporter's fixed bytes.
 */
import { ggufTypes, type CodecName, type GgufType, type IntBits, type IntGroup, type IntName, type Target } from '../../contract/options.ts'

export interface SizedLayer {
  readonly name: string
  readonly kind: 'matmul' | 'conv' | 'embedding'
  /** [out, in] */
  readonly shape: readonly number[]
}

/** Bytes of the layer under an option, or why it cannot take it. */
export type OptionBytes = { readonly bytes: number } | { readonly reason: string }

/** Weights in a block and bytes of it. */
export const ggufBlocks: Readonly<Record<GgufType, readonly [number, number]>> = {
  F32: [1, 4], F16: [1, 2], BF16: [1, 2],
  Q8_0: [32, 34], Q6_K: [256, 210], Q5_K: [256, 176], Q5_1: [32, 24], Q5_0: [32, 22], Q4_K: [256, 144], Q4_1: [32, 20], Q4_0: [32, 18],
  IQ4_NL: [32, 18], IQ4_XS: [256, 136], MXFP4: [32, 17], Q3_K: [256, 110], Q2_K: [256, 84], TQ2_0: [256, 66], TQ1_0: [256, 54],
}

export interface IntFormat {
  readonly bits: IntBits
  readonly group: IntGroup
  readonly isSymmetric: boolean
}

const intGroups: readonly IntGroup[] = [32, 64, 128, 'channel']

/** Every group-wise integer option by name. */
export const intFormats: ReadonlyMap<string, IntFormat> = new Map(
  ([2, 3, 4, 8] as const).flatMap((bits) => intGroups.flatMap((group) => [false, true].map((isSymmetric) => [intName({ bits, group, isSymmetric }), { bits, group, isSymmetric }] as const))),
)

export function intName({ bits, group, isSymmetric }: IntFormat): IntName {
  const suffix = isSymmetric ? '-sym' : ''
  return group === 'channel' ? `int${bits}-channel${suffix}` : `int${bits}-g${group}${suffix}`
}

const plain: readonly CodecName[] = ['F32', 'F16', 'BF16']
const intNames = [...intFormats.entries()].map(([, format]) => intName(format))
const stockNames = intNames.filter((name) => intFormats.get(name)?.bits !== 3)

/** All options that some layer can take in a target, widest first. */
export const targetOptions: Readonly<Record<Target, readonly CodecName[]>> = {
  gguf: ggufTypes,
  onnx: ['F32', 'F16', ...stockNames],
  safetensors: [...plain, ...intNames],
}

/** Bytes of `layer` stored as `option` in a file for `target`. */
export function optionBytes(target: Target, layer: SizedLayer, option: string): OptionBytes {
  if (!targetOptions[target].some((name) => name === option)) return { reason: notHeld(target, option) }
  return layouts[target](layer, option)
}

function notHeld(target: Target, option: string): string {
  const format = intFormats.get(option)
  if (target === 'onnx' && format?.bits === 3) return 'stock ONNX Runtime has no 3-bit matrix product'
  return `${target} has no ${option}`
}

const layouts: Readonly<Record<Target, (layer: SizedLayer, option: string) => OptionBytes>> = { gguf: ggufBytes, onnx: onnxBytes, safetensors: gptqBytes }

function ggufBytes({ shape }: SizedLayer, option: string): OptionBytes {
  const type = ggufTypes.find((name) => name === option)
  if (type === undefined) return { reason: notHeld('gguf', option) }
  const [block, bytes] = ggufBlocks[type]
  const [rows, cols] = matrix(shape)
  return cols % block === 0 ? { bytes: rows * (cols / block) * bytes } : { reason: notMultiple(cols, block) }
}

function onnxBytes({ kind, shape }: SizedLayer, option: string): OptionBytes {
  const [rows, cols] = matrix(shape)
  const format = intFormats.get(option)
  if (format === undefined) return plainBytes(rows * cols, option)
  if (format.group === 'channel' && kind !== 'conv') return { reason: 'MatMulNBits needs groups of 32, 64 or 128' }
  const group = format.group === 'channel' ? cols : format.group
  if (cols % group !== 0) return { reason: notMultiple(cols, group) }
  const groups = cols / group
  const codes = rows * Math.ceil((cols * format.bits) / 8)
  const zeroPoints = format.isSymmetric ? 0 : rows * Math.ceil((groups * format.bits) / 8)
  return { bytes: codes + 2 * rows * groups + zeroPoints }
}

function gptqBytes({ name, kind, shape }: SizedLayer, option: string): OptionBytes {
  const [rows, cols] = matrix(shape)
  const format = intFormats.get(option)
  if (format === undefined) return plainBytes(rows * cols, option)
  if (kind !== 'matmul' || name === 'head') return { reason: 'the GPTQ layout holds only the linear layers of the blocks' }
  const group = format.group === 'channel' ? cols : format.group
  if (cols % group !== 0) return { reason: notMultiple(cols, group) }
  // Codes are packed into 32-bit words down the columns of qweight and along the rows of qzeros.
  for (const [length, what] of [[cols, 'columns'], [rows, 'rows']] as const) if (length % 32 !== 0) return { reason: notMultiple(length, 32, what) }
  const groups = cols / group
  return { bytes: (rows * cols * format.bits) / 8 + (groups * rows * format.bits) / 8 + 2 * groups * rows + 4 * cols }
}

function plainBytes(elements: number, option: string): OptionBytes {
  return { bytes: elements * (option === 'F32' ? 4 : 2) }
}

/** Whatever the tensor's rank, the last dimension of [out, in] is what blocks run along. */
function matrix(shape: readonly number[]): readonly [number, number] {
  return [shape[0], shape.slice(1).reduce((product, dimension) => product * dimension, 1)]
}

function notMultiple(length: number, block: number, what = 'columns'): string {
  return `${length} ${what} are not a multiple of ${block}`
}
