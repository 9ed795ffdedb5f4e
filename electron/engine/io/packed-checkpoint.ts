/**
 * @file Quantized safetensors folders as checkpoints of plain weights: the planes of a packed layer (qweight, scales, …) are shown as
 * one tensor `MODULE.weight` whose bytes are blocks of an int codec. Bits and group follow from the planes' shapes.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { IntBits, IntGroup } from '../../contract/options.ts'
import { AppError } from '../../contract/errors.ts'
import type { PackedLayoutName } from '../../contract/recipe.ts'
import { intName } from '../budget/option-bytes.ts'
import type { Checkpoint, TensorInfo } from './checkpoint.ts'
import { isObject, type JsonObject } from './json.ts'
import { packedBytes, packedLayouts, packedPlanes, unpackPlanes, type PackedShape } from './packed-layouts.ts'
import { malformed } from './problems.ts'

interface PackedLayer {
  readonly layout: PackedLayoutName
  readonly shape: PackedShape
  readonly module: string
  readonly info: TensorInfo
}

function refuse(where: string, found: string, expected: string): AppError {
  return new AppError('unsupported-tensor', `${where}: found ${found}, expected ${expected}`, { hint: 'Use the unquantized model, or one quantized to GPTQ without activation order, compressed-tensors (pack-quantized) or GGUF.' })
}

const bitsKnown: readonly IntBits[] = [2, 3, 4, 8]
const groupsKnown: readonly Exclude<IntGroup, 'channel'>[] = [32, 64, 128]

function shapeOf(where: string, rows: number, cols: number, codeWords: number, groups: number, isSymmetric: boolean): PackedShape {
  const bits = bitsKnown.find((one) => one * cols === codeWords * 32)
  const group = groups === 1 ? 'channel' : groupsKnown.find((one) => one * groups === cols)
  if (bits === undefined) throw refuse(where, `${codeWords} words of codes for ${cols} weights`, `${bitsKnown.join(', ')} bits a weight`)
  if (group === undefined) throw refuse(where, `${groups} groups in ${cols} weights`, `groups of ${groupsKnown.join(', ')} or whole rows`)
  return { rows, cols, format: { bits, group, isSymmetric } }
}

function shapeIn(base: Checkpoint, name: string, axes: number): readonly number[] {
  const shape = base.tensors.get(name)?.shape
  if (shape?.length !== axes) throw malformed(`${base.path}: tensor "${name}"`, shape ? `shape [${shape.join(', ')}]` : 'nothing', `a tensor of ${axes} dimensions beside the other parts of its layer`)
  return shape
}

/** Shapes of the layers of each layout; `module` ends before the suffix. */
const readers: Readonly<Record<PackedLayoutName, (base: Checkpoint, module: string, where: string) => Promise<PackedShape>>> = {
  async gptq(base, module, where) {
    const [codeWords = 0, rows = 0] = shapeIn(base, `${module}.qweight`, 2)
    const [cols = 0] = shapeIn(base, `${module}.g_idx`, 1)
    const [groups = 1] = shapeIn(base, `${module}.scales`, 2)
    const shape = shapeOf(where, rows, cols, codeWords, groups, false)
    const bytes = await base.read(`${module}.g_idx`)
    const order = new Int32Array(new Uint8Array(bytes).buffer)
    const expected = packedLayouts.gptq.extra.values(shape)
    if (order.some((group, j) => group !== expected[j])) throw refuse(`${where}: g_idx`, 'groups in the order of activations', 'groups of neighbouring weights')
    return shape
  },
  async 'compressed-tensors'(base, module, where) {
    shapeIn(base, `${module}.weight_shape`, 1)
    const sizes = Array.from(new BigInt64Array(new Uint8Array(await base.read(`${module}.weight_shape`)).buffer), Number)
    const [rows = 0, codeWords = 0] = shapeIn(base, `${module}.weight_packed`, 2)
    const [, groups = 1] = shapeIn(base, `${module}.weight_scale`, 2)
    if (sizes.length !== 2 || sizes[0] !== rows) throw malformed(`${where}: weight_shape`, `[${sizes.join(', ')}]`, `[${rows}, in features]`)
    return shapeOf(where, rows, sizes[1] ?? 0, codeWords, groups, !base.tensors.has(`${module}.weight_zero_point`))
  },
}

/** Checks type and shape of every plane of a layer. */
function checkPlanes(base: Checkpoint, layout: PackedLayoutName, module: string, shape: PackedShape): void {
  for (const plane of packedPlanes(layout, shape)) {
    const name = `${module}.${plane.suffix}`
    const found = base.tensors.get(name)
    const isSame = found !== undefined && found.type === plane.type && String(found.shape) === String(plane.shape)
    if (!isSame) throw malformed(`${base.path}: tensor "${name}"`, found ? `${found.type} [${found.shape.join(', ')}]` : 'nothing', `${plane.type} [${plane.shape.join(', ')}]`)
  }
}

const methods: Readonly<Record<string, (config: JsonObject) => PackedLayoutName | null>> = {
  gptq: () => 'gptq',
  'compressed-tensors': ({ format }) => (format === 'pack-quantized' ? 'compressed-tensors' : null),
}

function layoutOf(where: string, config: JsonObject): PackedLayoutName {
  const method = String(config.quant_method)
  const layout = Object.hasOwn(methods, method) ? methods[method]?.(config) : null
  if (layout) return layout
  throw refuse(`${where}: quantization_config`, `method ${JSON.stringify(config.quant_method)}${typeof config.format === 'string' ? ` (${config.format})` : ''}`, 'gptq or compressed-tensors with format pack-quantized')
}

async function findLayers(base: Checkpoint, layout: PackedLayoutName): Promise<Map<string, PackedLayer>> {
  const suffix = `.${packedLayouts[layout].codes.suffix}`
  const layers = new Map<string, PackedLayer>()
  for (const [name, tensor] of base.tensors) {
    if (!name.endsWith(suffix)) continue
    const module = name.slice(0, -suffix.length)
    const where = `${base.path}: layer "${module}"`
    const shape = await readers[layout](base, module, where)
    checkPlanes(base, layout, module, shape)
    const info: TensorInfo = { name: `${module}.weight`, type: intName(shape.format), shape: [shape.rows, shape.cols], file: tensor.file, offset: tensor.offset, byteLength: packedBytes(shape) }
    layers.set(info.name, { layout, shape, module, info })
  }
  return layers
}

/** The checkpoint with its packed layers shown as weights; `quantization` is config.json's quantization_config. */
export async function unpackCheckpoint(base: Checkpoint, quantization: unknown): Promise<Checkpoint> {
  if (!isObject(quantization)) return base
  const layout = layoutOf(base.path, quantization)
  const version = quantization.checkpoint_format ?? quantization.format ?? 'gptq'
  const zeroStep = layout === 'gptq' && version !== 'gptq_v2' ? 1 : 0
  const layers = await findLayers(base, layout)
  const parts = new Set([...layers.values()].flatMap(({ module, shape }) => packedPlanes(layout, shape).map(({ suffix }) => `${module}.${suffix}`)))
  const tensors = new Map<string, TensorInfo>()
  for (const [name, tensor] of base.tensors) {
    const weight = layers.get(`${name.replace(/\.[^.]+$/, '')}.weight`)
    if (weight && name === `${weight.module}.${packedLayouts[layout].codes.suffix}`) tensors.set(weight.info.name, weight.info)
    if (!parts.has(name)) tensors.set(name, tensor)
  }

  async function readBlocks({ shape, module, info }: PackedLayer, rows: readonly [number, number] | undefined): Promise<Uint8Array> {
    const planes = new Map<string, Uint8Array>()
    for (const { suffix } of packedPlanes(layout, shape)) planes.set(suffix, await base.read(`${module}.${suffix}`))
    const blocks = await unpackPlanes(layout, shape, planes, zeroStep)
    const [first, last] = rows ?? [0, shape.rows]
    if (!(first >= 0 && first <= last && last <= shape.rows)) throw new AppError('bad-request', `${base.path}: tensor "${info.name}": asked for rows ${first} to ${last}, it has ${shape.rows}`)
    const rowBytes = blocks.length / shape.rows
    return blocks.subarray(first * rowBytes, last * rowBytes)
  }

  return {
    ...base,
    tensors,
    read(name, rows) {
      const layer = layers.get(name)
      return layer ? readBlocks(layer, rows) : base.read(name, rows)
    },
    async readFloat(name, rows) {
      const layer = layers.get(name)
      if (!layer) return base.readFloat(name, rows)
      const blocks = await readBlocks(layer, rows)
      const count = rows ? rows[1] - rows[0] : layer.shape.rows
      const out = new Float32Array(count * layer.shape.cols)
      if (count > 0) await kernels().decode(intName(layer.shape.format), { rows: count, cols: layer.shape.cols }, blocks, out)
      return out
    },
  }
}
