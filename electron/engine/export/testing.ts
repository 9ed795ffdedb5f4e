/** @file What tests of exporters share: a small tokenizer, a choice of options, quantized layers in memory. */
import { kernels } from '../../../kernels/kernels.ts'
import { ggufTypes, type CodecName, type Target } from '../../contract/options.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { intFormats, intName, optionBytes } from '../budget/option-bytes.ts'
import { checkTokenizer } from '../io/tokenizer-file.ts'
import { createTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import type { DecoderModel } from '../session/model.ts'
import type { Provenance, ReadBlob } from './exporter.ts'

export const provenance: Provenance = {
  tool: 'halftone test', model: { path: 'model', sha256: 'aa' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 4 }, pins: {}, metric: 'none', rounder: 'nearest', correction: 'none', seed: 0,
}

/** Byte-level BPE of 90 letters and a merge, for models of 96 embeddings. */
export function smallTokenizer(): Tokenizer {
  const letters = Array.from({ length: 88 }, (_, i) => String.fromCharCode(0x21 + i))
  const vocabulary = ['<s>', '</s>', ...letters, 'ab']
  const json = {
    added_tokens: [{ id: 0, content: '<s>', special: true }, { id: 1, content: '</s>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), merges: ['a b'] },
  }
  return createTokenizer(checkTokenizer('tokenizer.json', json, { bos_token: '<s>', eos_token: '</s>', chat_template: '{{ messages }}' }))
}

/** The first of `options`, by turns, that each layer can take in the target; tied layers take the same. */
export function chooseByTurns(model: DecoderModel, target: Target, options: readonly CodecName[]): LayerChoice[] {
  const ofTie = new Map<string, string>()
  return model.layers.map((layer, at) => {
    const turn = options.map((_, i) => options[(at + i) % options.length])
    const fits = (option: string): boolean => 'bytes' in optionBytes(target, layer, option)
    const option = (layer.ties === null ? undefined : ofTie.get(layer.ties)) ?? turn.find(fits) ?? 'F16'
    if (layer.ties !== null) ofTie.set(layer.ties, option)
    return { name: layer.name, option, rank: 0, bytes: 0, predictedLoss: 0 }
  })
}

export function isCodec(name: string): name is CodecName {
  return ggufTypes.some((type) => type === name) || [...intFormats.values()].some((format) => intName(format) === name)
}

/** Every layer encoded as chosen. */
export async function encodeLayers(model: DecoderModel, choice: readonly LayerChoice[]): Promise<ReadBlob> {
  const blobs = new Map<string, Uint8Array>()
  for (const { name, option } of choice) {
    const [rows, cols] = model.layers.find((layer) => layer.name === name)?.shape ?? [0, 0]
    if (!isCodec(option)) throw new Error(`${option} is no codec`)
    const bytes = new Uint8Array(kernels().codecBytes(option, { rows, cols }))
    await kernels().encode(option, { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
    blobs.set(name, bytes)
  }
  return (layer) => Promise.resolve(blobs.get(layer) ?? new Uint8Array(0))
}

/** The dense weights a blob stands for. */
export async function decodeLayer(model: DecoderModel, { name, option }: LayerChoice, blob: ReadBlob): Promise<Float32Array> {
  const [rows, cols] = model.layers.find((layer) => layer.name === name)?.shape ?? [0, 0]
  const out = new Float32Array(rows * cols)
  if (isCodec(option)) await kernels().decode(option, { rows, cols }, await blob(name), out)
  return out
}
