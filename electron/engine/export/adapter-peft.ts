/**
 * @file A PEFT folder, as `PeftModel.from_pretrained` takes it: adapter_config.json, and adapter_model.safetensors with
 * base_model.model.MODULE.lora_A.weight [rank, in] and lora_B.weight [out, rank]. Layers whose rank or alpha differ from the
 * most usual one are named in rank_pattern and alpha_pattern.
 */
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { kernels } from '../../../kernels/kernels.ts'
import type { Context } from '../../contract/events.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import { placements } from '../graph/decoder/weights.ts'
import { hashList } from '../io/hash.ts'
import { safetensorsFile, type SafetensorsTensor } from '../io/safetensors-writer.ts'
import { writeWhole, type Chunks, type Written } from '../io/write-file.ts'
import type { DecoderModel } from '../session/model.ts'
import { branchValues, placeBranches, type PlacedBranch } from './adapter-places.ts'
import type { Exported } from './exporter.ts'

export const peftConfigFile = 'adapter_config.json'
export const peftWeightsFile = 'adapter_model.safetensors'
/** What stands before the base model's own names. */
export const peftPrefix = 'base_model.model.'

type PeftModel = Pick<DecoderModel, 'path' | 'spec' | 'family'>

export interface PeftOptions {
  /** F32 keeps every bit for training on; F16 is half the size. */
  readonly type?: 'F16' | 'F32'
}

interface SmallFile {
  readonly name: string
  readonly sizeBytes: number
  readonly chunks: () => Chunks
}

const moduleOf = ({ tensor }: { readonly tensor: string }): string => tensor.replace(/\.weight$/, '')

/** The value most branches have. */
function usual(values: readonly number[]): number {
  const counts = Map.groupBy(values, (value) => value)
  return [...counts].toSorted(([a, first], [b, second]) => second.length - first.length || a - b)[0]?.[0] ?? 0
}

/** Modules by their last names where all modules of that name have a branch, in full where not. */
function targetModules(model: PeftModel, branches: readonly PlacedBranch[]): string[] {
  const last = (module: string): string => module.split('.').at(-1) ?? module
  const places = placements(model.spec, model.family.names, model.family.prefixes[0] ?? '')
  const all = new Set([...places.values()].filter(({ shape, tensor }) => shape.length === 2 && tensor.endsWith('.weight')).map(moduleOf))
  const held = new Set(branches.map(moduleOf))
  const isWhole = (name: string): boolean => [...all].every((module) => last(module) !== name || held.has(module))
  return [...new Set([...held].map((module) => (isWhole(last(module)) ? last(module) : module)))]
}

function configFile(model: PeftModel, branches: readonly PlacedBranch[]): SmallFile {
  const rank = usual(branches.map((branch) => branch.rank))
  const alpha = usual(branches.map((branch) => branch.alpha))
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: path.basename(path.resolve(model.path)),
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targetModules(model, branches),
    rank_pattern: Object.fromEntries(branches.filter((branch) => branch.rank !== rank).map((branch) => [moduleOf(branch), branch.rank])),
    alpha_pattern: Object.fromEntries(branches.filter((branch) => branch.alpha !== alpha).map((branch) => [moduleOf(branch), branch.alpha])),
    bias: 'none',
    fan_in_fan_out: branches.some(({ parts }) => parts.some(({ source }) => source.transposed === true)),
    inference_mode: true,
    use_rslora: false,
    use_dora: false,
  }
  const contents = Buffer.from(`${JSON.stringify(config, null, 2)}\n`)
  return { name: peftConfigFile, sizeBytes: contents.length, chunks: () => [contents] }
}

async function* stored(values: Promise<Float32Array>, type: 'F16' | 'F32'): AsyncGenerator<Uint8Array> {
  const dense = await values
  const shape = { rows: 1, cols: dense.length }
  const out = new Uint8Array(kernels().codecBytes(type, shape))
  await kernels().encode(type, shape, dense, null, 'nearest', out)
  yield out
}

function filesOf(model: PeftModel, source: AdapterSource, { type = 'F16' }: PeftOptions): SmallFile[] {
  const { spec, family } = model
  const branches = placeBranches(source, placements(spec, family.names, family.prefixes[0] ?? ''))
  const tensors = branches.flatMap((branch): SafetensorsTensor[] => {
    const values = (): ReturnType<typeof branchValues> => branchValues(branch, source, spec.headSize)
    const name = peftPrefix + moduleOf(branch)
    return [
      { name: `${name}.lora_A.weight`, type, shape: [branch.rank, branch.shape[1]], data: () => stored(values().then(({ a }) => a), type) },
      { name: `${name}.lora_B.weight`, type, shape: [branch.shape[0], branch.rank], data: () => stored(values().then(({ b }) => b), type) },
    ]
  })
  return [{ name: peftWeightsFile, ...safetensorsFile(tensors) }, configFile(model, branches)]
}

/** Exact bytes of the folder that `writePeftAdapter` makes. */
export function peftAdapterSize(model: PeftModel, source: AdapterSource, options: PeftOptions = {}): number {
  return filesOf(model, source, options).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** Writes the adapter into `folder`, over an earlier one; the configuration comes last: where it is, everything is. */
export async function writePeftAdapter(folder: string, model: PeftModel, source: AdapterSource, options: PeftOptions, { signal }: Pick<Context, 'signal'>): Promise<Exported> {
  await mkdir(folder, { recursive: true })
  await rm(path.join(folder, peftConfigFile), { force: true })
  const written = new Map<string, Written>()
  for (const { name, chunks } of filesOf(model, source, options)) written.set(name, await writeWhole(path.join(folder, name), chunks(), { signal, overwrite: true }))
  return { path: folder, sizeBytes: [...written.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), sha256: hashList(new Map([...written].map(([name, { sha256 }]) => [name, sha256]))) }
}
