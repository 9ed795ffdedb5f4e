/**
 * @file The tensors of a GGUF file from a job's quantized layers: llama.cpp's names, fused tensors put together, rotary rows in
 * pairs. Rows are whole blocks, so they move without being quantized again. Norms, biases and rotary factors are F32.
 */
import { kernels } from '../../../kernels/kernels.ts'
import { AppError, assert } from '../../contract/errors.ts'
import { ropeDivisors } from '../graph/decoder/rope.ts'
import { modelTensors, placements } from '../graph/decoder/weights.ts'
import type { GgufTensor } from '../io/gguf-writer.ts'
import { isGgufStorageType, type GgufStorageType } from '../io/types.ts'
import type { DecoderModel } from '../session/model.ts'
import { arrange } from './arrange.ts'
import type { ReadBlob } from './exporter.ts'

/** The bytes of dense values in a format. */
async function encoded(values: Float32Array, type: 'F32' | 'F16'): Promise<Uint8Array> {
  const shape = { rows: 1, cols: values.length }
  const out = new Uint8Array(kernels().codecBytes(type, shape))
  await kernels().encode(type, shape, values, null, 'nearest', out)
  return out
}

function storage(option: string | undefined, tensor: string): GgufStorageType {
  if (option !== undefined && isGgufStorageType(option)) return option
  throw new AppError('bad-recipe', `tensor ${tensor}: GGUF cannot hold the option ${option ?? 'none'}`, { hint: 'Plan again for the target gguf.' })
}

/** Llama 3's and LongRoPE's frequency factors, which GGUF keeps as tensors. */
function ropeTensors({ spec }: DecoderModel): GgufTensor[] {
  if (spec.positions.kind !== 'rope') return []
  const { rope } = spec.positions
  const vector = (name: string, values: readonly number[]): GgufTensor => ({ name, type: 'F32', shape: [values.length], data: () => [new Uint8Array(Float32Array.from(values).buffer)] })
  switch (rope.scaling.kind) {
    case 'llama3':
    case 'divided':
      return [vector('rope_freqs.weight', ropeDivisors(rope))]
    case 'longrope':
      return [vector('rope_factors_long.weight', rope.scaling.long), vector('rope_factors_short.weight', rope.scaling.short)]
    default:
      return []
  }
}

/** All tensors of the file; `options` gives the format of every layer. The bytes are asked for only when the file is written. */
export function ggufTensors(model: DecoderModel, options: ReadonlyMap<string, string>, blob: ReadBlob): GgufTensor[] {
  const { spec, family } = model
  const places = placements(spec, family.ggufNames, '')
  const parts = Map.groupBy([...modelTensors(spec).keys()].map((name) => places.get(name)).filter((place) => place !== undefined), ({ tensor }) => tensor)
  const layers = new Set(model.layers.map(({ name }) => name))
  const extra = async (name: string): Promise<Uint8Array> => {
    const [, block, short] = /^blocks\.(\d+)\.(.*)$/.exec(name) ?? [undefined, undefined, name]
    const values = (await model.readExtras(block === undefined ? null : Number(block)))[short ?? name]
    assert(values !== undefined, `the model has no ${name}`)
    return encoded(values, 'F32')
  }
  const tensors = [...parts].map(([tensor, held]): GgufTensor => {
    const ordered = held.toSorted((a, b) => a.index - b.index)
    const rows = ordered.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0)
    const [first] = ordered
    const isLayer = first !== undefined && layers.has(first.name)
    const type = isLayer ? storage(options.get(first.name), tensor) : 'F32'
    const differing = ordered.find(({ name }) => isLayer && options.get(name) !== options.get(first.name))
    if (differing) throw new AppError('bad-recipe', `tensor ${tensor}: ${differing.name} and ${first?.name ?? ''} have different options, GGUF stores them as one tensor`, { hint: 'Plan again: such layers are tied.' })
    return { name: tensor, type, shape: [rows, ...(first?.shape.slice(1) ?? [])], data: () => arrange(ordered, isLayer ? blob : extra, spec.headSize) }
  })
  return [...tensors, ...ropeTensors(model)]
}
