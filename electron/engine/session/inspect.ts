/** @file What a decoder consists of, for the window and `halftone inspect`: tensors, the layers they hold, and why others stay as they are. */
import path from 'node:path'
import type { ModelSummary } from '../../contract/engine.ts'
import type { Context } from '../../contract/events.ts'
import { openDecoder, type DecoderModel } from './model.ts'

/** Opens a decoder only to describe it. */
export async function inspectDecoder(source: string, context: Pick<Context, 'signal'>): Promise<ModelSummary> {
  const model = await openDecoder(source, context)
  try {
    return summarize(model)
  } finally {
    await model.close()
  }
}

function nameOf({ path: source, config, checkpoint }: DecoderModel): string {
  const stated = [checkpoint.metadata['general.name'], config?._name_or_path].find((name) => typeof name === 'string' && name !== '')
  return typeof stated === 'string' ? stated : path.basename(path.resolve(source))
}

/** Why a tensor that holds no layer is left as it is. */
function reasonFor(names: readonly string[]): string {
  if (names.length === 0) return 'holds no weights: a mask or a table that follows from the configuration'
  if (names.includes('positions')) return 'positions are few and are kept in full precision'
  return names.some((name) => name.endsWith('.bias') && !name.endsWith('_norm.bias')) ? 'biases are small and are kept in full precision' : 'norms are small and are kept in full precision'
}

/** What llama.cpp will do otherwise than the model says, if its file can hold the model. */
export function ggufWarnings({ family, spec }: Pick<DecoderModel, 'family' | 'spec'>): string[] {
  const ignored = family.ggufIgnored?.(spec) ?? null
  return ignored === null ? [] : [ignored]
}

/** The summary of an open decoder. */
export function summarize(model: DecoderModel): ModelSummary {
  const { spec, checkpoint, layers, places } = model
  const isLayer = new Set(layers.map(({ name }) => name))
  const held = new Map<string, string[]>()
  for (const { name, tensor } of places.values()) held.set(tensor, [...(held.get(tensor) ?? []), name])
  const gap = model.family.ggufGap(spec)
  return {
    path: model.path,
    name: nameOf(model),
    format: checkpoint.format,
    architecture: spec.architecture,
    parameters: model.elements,
    sizeBytes: checkpoint.sizeBytes,
    blocks: spec.blocks,
    contextLength: spec.contextLength,
    vocabulary: spec.vocabulary,
    tensors: [...checkpoint.tensors.values()].map((tensor) => {
      const names = held.get(tensor.name) ?? []
      const inside = names.filter((name) => isLayer.has(name))
      return { name: tensor.name, type: tensor.type, shape: [...tensor.shape], bytes: tensor.byteLength, layers: inside, reason: inside.length > 0 ? null : reasonFor(names) }
    }),
    layers: layers.map(({ name, kind, shape, block, ties }) => ({ name, kind, shape: [...shape], elements: shape[0] * shape[1], block, ties })),
    warnings: [...(gap === null ? [] : [`A GGUF file cannot hold ${gap}.`]), ...ggufWarnings(model)],
  }
}
