/**
 * @file A GGUF LoRA file, as llama.cpp's `--lora` takes it: NAME.lora_a [rank, in] and NAME.lora_b [out, rank] beside the base's
 * tensors. llama.cpp multiplies by adapter.lora.alpha / rank, with one alpha a file: other layers' factors go into their B.
 */
import path from 'node:path'
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import { placements } from '../graph/decoder/weights.ts'
import { ggufSize, writeGguf, type GgufEntries, type GgufTensor } from '../io/gguf-writer.ts'
import type { DecoderModel } from '../session/model.ts'
import { branchValues, placeBranches, type PlacedBranch } from './adapter-places.ts'
import { ggufStorageOf, type AdapterStorage } from '../correct/adapter-storage.ts'
import type { Exported } from './exporter.ts'

export interface GgufAdapterOptions {
  readonly storage: AdapterStorage
  /** Written into the file; names only, no paths. */
  readonly provenance?: Readonly<Record<string, unknown>>
}

interface Draft {
  readonly entries: GgufEntries
  readonly tensors: readonly GgufTensor[]
}

async function stored(values: Float32Array, shape: readonly [number, number], type: 'F16' | 'Q8_0'): Promise<Uint8Array[]> {
  const [rows, cols] = shape
  const out = new Uint8Array(kernels().codecBytes(type, { rows, cols }))
  await kernels().encode(type, { rows, cols }, values, null, 'nearest', out)
  return [out]
}

async function* lazily(make: () => Promise<Uint8Array[]>): AsyncGenerator<Uint8Array> {
  yield* await make()
}

function tensorsOf(branch: PlacedBranch, source: AdapterSource, alpha: number, headSize: number, storage: AdapterStorage): GgufTensor[] {
  const { tensor, shape: [out, cols], rank } = branch
  const scale = branch.alpha / alpha
  const a = ggufStorageOf(storage, cols)
  const b = ggufStorageOf(storage, rank)
  return [
    { name: `${tensor}.lora_a`, type: a, shape: [rank, cols], data: () => lazily(async () => stored((await branchValues(branch, source, headSize)).a, [rank, cols], a)) },
    { name: `${tensor}.lora_b`, type: b, shape: [out, rank], data: () => lazily(async () => stored((await branchValues(branch, source, headSize)).b.map((value) => value * scale), [out, rank], b)) },
  ]
}

function draft(model: Pick<DecoderModel, 'path' | 'spec' | 'family'>, source: AdapterSource, { storage, provenance = {} }: GgufAdapterOptions): Draft {
  const { spec, family } = model
  if (family.ggufArchitecture === null) throw new AppError('unsupported-architecture', `${model.path}: GGUF cannot hold the architecture ${spec.architecture}`, { hint: 'Export the adapter as a PEFT folder.' })
  const branches = placeBranches(source, placements(spec, family.ggufNames, ''))
  const alphas = new Set(branches.map((branch) => branch.alpha))
  const alpha = alphas.size === 1 ? (branches[0]?.alpha ?? 1) : Math.max(...branches.map(({ rank }) => rank))
  return {
    entries: {
      'general.architecture': { type: 'string', value: family.ggufArchitecture },
      'general.type': { type: 'string', value: 'adapter' },
      'general.name': { type: 'string', value: `${path.basename(path.resolve(model.path)).replace(/\.gguf$/, '')} adapter` },
      'general.file_type': { type: 'u32', value: storage === 'int8' ? 7 : 1 },
      'general.quantization_version': { type: 'u32', value: 2 },
      'adapter.type': { type: 'string', value: 'lora' },
      'adapter.lora.alpha': { type: 'f32', value: alpha },
      'halftone.recipe': { type: 'string', value: JSON.stringify(provenance) },
    },
    tensors: branches.flatMap((branch) => tensorsOf(branch, source, alpha, spec.headSize, storage)),
  }
}

/** Exact size of the file that `writeGgufAdapter` makes. */
export function ggufAdapterSize(model: Pick<DecoderModel, 'path' | 'spec' | 'family'>, source: AdapterSource, options: GgufAdapterOptions): number {
  const { entries, tensors } = draft(model, source, options)
  return ggufSize(entries, tensors)
}

/** Writes the adapter to `file`, over an earlier one. */
export async function writeGgufAdapter(file: string, model: Pick<DecoderModel, 'path' | 'spec' | 'family'>, source: AdapterSource, options: GgufAdapterOptions, { signal }: Pick<Context, 'signal'>): Promise<Exported> {
  const { entries, tensors } = draft(model, source, options)
  return { path: file, ...(await writeGguf(file, entries, tensors, { signal, overwrite: true })) }
}
