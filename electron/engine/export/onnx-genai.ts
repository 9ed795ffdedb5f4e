/**
 * @file genai_config.json, by which onnxruntime-genai finds its way in the folder: the graph's inputs and outputs, the model's
 * shape, its special tokens. The same file is what this program opens such a folder by.
 */
import path from 'node:path'
import { z } from 'zod'
import type { DecoderSpec } from '../graph/decoder/spec.ts'
import { readJson } from '../io/json.ts'
import { malformed } from '../io/problems.ts'
import { cacheHeadSize } from './onnx-graph.ts'

export const modelFile = 'model.onnx'
export const dataFile = 'model.onnx.data'
export const genaiFile = 'genai_config.json'
/** Metadata of the graph: the recipe that made it, and the weights of the whole model. */
export const recipeKey = 'halftone.recipe'
export const weightsKey = 'halftone.weights'

/** Architectures onnxruntime-genai knows by name; every other decoder with these inputs and outputs is a plain "decoder". */
const genaiTypes: readonly string[] = ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text', 'phi3']

export interface SpecialTokens {
  readonly bos: number
  readonly eos: number | readonly number[]
  readonly pad: number
}

/** Special tokens by the model's own configuration, else by its tokenizer, else 0. */
export function specialTokens(config: Readonly<Record<string, unknown>> | null, tokenizer: { readonly bos: number | null; readonly eos: number | null }): SpecialTokens {
  const ids = (key: string): number[] => {
    const value: unknown = config?.[key]
    return (Array.isArray(value) ? value : [value]).filter((id): id is number => typeof id === 'number' && Number.isInteger(id) && id >= 0)
  }
  const eos = ids('eos_token_id')
  const first = eos[0] ?? tokenizer.eos ?? 0
  return { bos: ids('bos_token_id')[0] ?? tokenizer.bos ?? first, eos: eos.length > 1 ? eos : first, pad: ids('pad_token_id')[0] ?? first }
}

/** The text of genai_config.json. */
export function genaiConfig(spec: DecoderSpec, { bos, eos, pad }: SpecialTokens): string {
  const config = {
    model: {
      bos_token_id: bos,
      context_length: spec.contextLength,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: modelFile,
        head_size: cacheHeadSize(spec),
        hidden_size: spec.hidden,
        inputs: { input_ids: 'input_ids', attention_mask: 'attention_mask', past_key_names: 'past_key_values.%d.key', past_value_names: 'past_key_values.%d.value' },
        outputs: { logits: 'logits', present_key_names: 'present.%d.key', present_value_names: 'present.%d.value' },
        num_attention_heads: spec.heads,
        num_hidden_layers: spec.blocks,
        num_key_value_heads: spec.kvHeads,
      },
      eos_token_id: eos,
      pad_token_id: pad,
      type: genaiTypes.includes(spec.architecture) ? spec.architecture : 'decoder',
      vocab_size: spec.vocabulary,
    },
    search: {
      diversity_penalty: 0, do_sample: false, early_stopping: true, length_penalty: 1, max_length: spec.contextLength, min_length: 0, no_repeat_ngram_size: 0, num_beams: 1,
      num_return_sequences: 1, past_present_share_buffer: false, repetition_penalty: 1, temperature: 1, top_k: 50, top_p: 1,
    },
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

const count = z.number().int().positive()
const Genai = z.object({
  model: z.object({
    context_length: count,
    vocab_size: count,
    decoder: z.object({
      filename: z.string(),
      head_size: count,
      num_hidden_layers: count,
      num_key_value_heads: count,
      inputs: z.object({ input_ids: z.string(), attention_mask: z.string(), position_ids: z.string().optional(), past_key_names: z.string(), past_value_names: z.string() }),
      outputs: z.object({ logits: z.string(), present_key_names: z.string(), present_value_names: z.string() }),
    }),
  }),
})
export type GenaiModel = z.infer<typeof Genai>['model']

/** Reads and checks the genai_config.json of a folder. */
export async function readGenai(folder: string): Promise<GenaiModel> {
  const file = path.join(folder, genaiFile)
  const parsed = Genai.safeParse(await readJson(file))
  if (!parsed.success) throw malformed(file, z.prettifyError(parsed.error), 'the description of a decoder with a cache of keys and values')
  const { filename } = parsed.data.model.decoder
  if (path.basename(filename) !== filename) throw malformed(file, `filename "${filename}"`, 'the name of a file in this folder')
  return parsed.data.model
}
