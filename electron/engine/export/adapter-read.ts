/**
 * @file Reads an adapter back for a model: a GGUF LoRA file, or a PEFT folder. Every tensor must stand beside a layer of the model
 * and fit it; nothing is skipped silently.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Adapter, LayerAdapter } from '../correct/adapter.ts'
import { placements, storedShape, type Placement } from '../graph/decoder/weights.ts'
import type { Checkpoint } from '../io/checkpoint.ts'
import { isObject, readJson, type JsonObject } from '../io/json.ts'
import { openCheckpoint } from '../io/open.ts'
import type { DecoderModel } from '../session/model.ts'
import { layerBranches } from './adapter-places.ts'
import { peftConfigFile, peftPrefix, peftWeightsFile } from './adapter-peft.ts'

type BaseModel = Pick<DecoderModel, 'path' | 'spec' | 'family' | 'layers'>

/** What a kind of adapter file says of its names and factors. */
interface Description {
  readonly places: ReadonlyMap<string, Placement>
  readonly a: RegExp
  readonly b: (module: string) => string
  /** What B·A is multiplied by, times the rank. */
  readonly alpha: (module: string, rank: number) => number
}

function mismatch(where: string, found: string, expected: string): AppError {
  return new AppError('adapter-mismatch', `${where}: found ${found}, expected ${expected}`, { hint: 'Use the adapter with the model it was made for.' })
}

function describeGguf({ path: where, metadata }: Checkpoint, { spec, family }: BaseModel): Description {
  const kind = metadata['general.type']
  const type = metadata['adapter.type']
  if (kind !== 'adapter' || type !== 'lora') throw mismatch(where, kind === 'adapter' ? `an adapter of type ${String(type)}` : 'a GGUF file that is no adapter', 'a GGUF LoRA adapter')
  const architecture = metadata['general.architecture']
  if (architecture !== family.ggufArchitecture) throw mismatch(where, `an adapter for the architecture ${String(architecture)}`, family.ggufArchitecture ?? spec.architecture)
  const stored = metadata['adapter.lora.alpha']
  const alpha = typeof stored === 'number' && Number.isFinite(stored) ? stored : 0
  return {
    places: placements(spec, family.ggufNames, ''),
    a: /^(.+\.weight)\.lora_a$/,
    b: (tensor) => `${tensor}.lora_b`,
    alpha: (_, rank) => (alpha === 0 ? rank : alpha), // llama.cpp takes the factor 1 where no alpha is given
  }
}

/** The value of a pattern that names the module in full or by its last names. */
function patternValue(where: string, config: JsonObject, key: string, module: string): number | undefined {
  const patterns = config[key]
  if (!isObject(patterns)) return undefined
  for (const [pattern, value] of Object.entries(patterns)) {
    if (!/^[\w.]+$/.test(pattern) || typeof value !== 'number') throw mismatch(where, `${key} "${pattern}"`, 'plain module names with numbers')
    if (module === pattern || module.endsWith(`.${pattern}`)) return value
  }
  return undefined
}

/** Kinds of adapters that compute something else than y + (alpha/r)·x·Aᵀ·Bᵀ. */
const peftRefused: Readonly<Record<string, (value: unknown) => boolean>> = {
  peft_type: (value) => value !== 'LORA',
  use_dora: (value) => value === true,
  use_qalora: (value) => value === true,
  use_bdlora: (value) => value !== undefined && value !== null && value !== false,
  lora_bias: (value) => value === true,
  alora_invocation_tokens: (value) => value !== undefined && value !== null,
  bias: (value) => value !== undefined && value !== 'none',
  modules_to_save: (value) => Array.isArray(value) && value.length > 0,
}

function describePeft(where: string, config: JsonObject, { spec, family }: BaseModel): Description {
  for (const [key, isRefused] of Object.entries(peftRefused)) {
    if (isRefused(config[key])) throw mismatch(where, `${key} ${JSON.stringify(config[key])}`, 'a plain LoRA adapter')
  }
  const usual = config.lora_alpha
  if (typeof usual !== 'number') throw mismatch(where, `lora_alpha ${JSON.stringify(usual)}`, 'a number')
  const places = placements(spec, family.names, family.prefixes[0] ?? '')
  return {
    places: new Map([...places].map(([name, place]) => [name, { ...place, tensor: peftPrefix + place.tensor.replace(/\.weight$/, '') }])),
    a: /^(.+)\.lora_A(?:\.default)?\.weight$/,
    b: (module) => `${module}.lora_B.weight`,
    alpha(module, rank) {
      const alpha = patternValue(where, config, 'alpha_pattern', module) ?? usual
      return config.use_rslora === true ? alpha * Math.sqrt(rank) : alpha
    },
  }
}

interface Pair {
  readonly base: string
  readonly names: readonly [a: string, b: string]
  readonly rank: number
  readonly parts: readonly Placement[]
}

/** The pair of tensors that begins with `name`, checked against the layers it stands beside. */
function pairOf(checkpoint: Checkpoint, name: string, base: string, { places, b: nameOfB }: Description, model: BaseModel): Pair {
  const where = `${checkpoint.path}: tensor ${name}`
  const inBlocks = new Set(model.layers.filter(({ block }) => block !== null).map((layer) => layer.name))
  const parts = [...places.values()].filter(({ tensor }) => tensor === base).sort((one, other) => one.index - other.index)
  const [first] = parts
  if (first === undefined || !parts.every((part) => inBlocks.has(part.name))) throw mismatch(where, 'a branch beside a layer that the model does not have', `one of the layers of the blocks of ${model.path}`)
  const second = [nameOfB(base), nameOfB(base).replace('.weight', '.default.weight')].find((other) => checkpoint.tensors.has(other))
  if (second === undefined) throw mismatch(where, 'the first half of a branch', `${nameOfB(base)} beside it`)
  const a = checkpoint.tensors.get(name)?.shape ?? []
  const b = checkpoint.tensors.get(second)?.shape ?? []
  const [out = 0, cols = 0] = first.source.transposed === true ? storedShape(first).toReversed() : storedShape(first)
  const [rank = 0] = a
  if (a.length !== 2 || b.length !== 2 || a[1] !== cols || b[0] !== out || b[1] !== rank) {
    throw mismatch(where, `A [${a.join(', ')}] and B [${b.join(', ')}]`, `A [rank, ${cols}] and B [${out}, rank] for the layer [${out}, ${cols}]`)
  }
  if (rank < 1 || rank > Math.min(out, cols)) throw mismatch(where, `rank ${rank}`, `1 to ${Math.min(out, cols)}, the layer's own`)
  return { base, names: [name, second], rank, parts }
}

function checkFinite(where: string, values: Float32Array): void {
  if (values.every((value) => Number.isFinite(value))) return
  throw new AppError('bad-weights', `${where}: found numbers that are not finite`, { hint: 'The adapter is damaged or its training diverged.' })
}

async function readBranches(checkpoint: Checkpoint, description: Description, model: BaseModel, signal: AbortSignal): Promise<Adapter> {
  const adapter = new Map<string, LayerAdapter>()
  const used = new Set<string>()
  for (const name of checkpoint.tensors.keys()) {
    const base = description.a.exec(name)?.[1]
    if (base === undefined) continue
    signal.throwIfAborted()
    const { names, rank, parts } = pairOf(checkpoint, name, base, description, model)
    const [a, b] = [await checkpoint.readFloat(names[0]), await checkpoint.readFloat(names[1])]
    for (const [at, values] of [a, b].entries()) checkFinite(`${checkpoint.path}: tensor ${names[at] ?? ''}`, values)
    for (const branch of layerBranches(parts, { a, b, rank, alpha: description.alpha(base.replace(peftPrefix, ''), rank) }, model.spec.headSize)) adapter.set(branch.layer, branch)
    for (const one of names) used.add(one)
  }
  const other = [...checkpoint.tensors.keys()].find((name) => !used.has(name))
  if (other !== undefined) throw mismatch(`${checkpoint.path}: tensor ${other}`, 'a tensor that is no branch of a layer', 'only pairs of A and B')
  if (adapter.size === 0) throw mismatch(checkpoint.path, 'no branches', 'at least one')
  return adapter
}

async function withCheckpoint<T>(file: string, signal: AbortSignal, read: (checkpoint: Checkpoint) => Promise<T>): Promise<T> {
  const checkpoint = await openCheckpoint(file, { signal })
  try {
    return await read(checkpoint)
  } finally {
    await checkpoint.close()
  }
}

/**
 * The branches of an adapter for `model`: of a GGUF LoRA file, a PEFT folder, or the adapter_model.safetensors in one.
 * @throws AppError adapter-mismatch, bad-weights, file-missing, file-malformed
 */
export async function readAdapter(source: string, model: BaseModel, { signal }: Pick<Context, 'signal'>): Promise<Adapter> {
  const isFolder = (await stat(source).catch(() => null))?.isDirectory() === true
  if (isFolder || source.endsWith('.safetensors')) {
    const folder = isFolder ? source : path.dirname(source)
    const config = path.join(folder, peftConfigFile)
    const description = describePeft(config, await readJson(config), model)
    return withCheckpoint(path.join(folder, peftWeightsFile), signal, (checkpoint) => readBranches(checkpoint, description, model, signal))
  }
  return withCheckpoint(source, signal, (checkpoint) => {
    if (checkpoint.format !== 'gguf') throw mismatch(source, `a ${checkpoint.format} file`, 'a GGUF LoRA file or a PEFT folder')
    return readBranches(checkpoint, describeGguf(checkpoint, model), model, signal)
  })
}
