/** @file Llama (Touvron et al. 2023) and what is built exactly like it: SmolLM, TinyLlama, Yi, and Mistral but for its sliding window. */
import type { Fields } from '../fields.ts'
import type { DecoderSpec } from '../spec.ts'
import { llamaSpec, readSliding, readWindow } from './config.ts'
import type { Family, NameTable, Source } from './family.ts'
import { ggufNames, ggufSpec } from './metadata.ts'

const blockName = (name: string): Source => ({ module: `layers.{i}.${name}` })

/** transformers' names of a Llama: most later families keep them. */
export const llamaNames = {
  embedding: { module: 'embed_tokens' },
  final_norm: { module: 'norm' },
  head: { module: '/lm_head' },
  attention_norm: blockName('input_layernorm'),
  q: blockName('self_attn.q_proj'),
  k: blockName('self_attn.k_proj'),
  v: blockName('self_attn.v_proj'),
  o: blockName('self_attn.o_proj'),
  mlp_norm: blockName('post_attention_layernorm'),
  gate: blockName('mlp.gate_proj'),
  up: blockName('mlp.up_proj'),
  down: blockName('mlp.down_proj'),
} as const satisfies NameTable

export const llamaIgnored = [/^(model\.)?layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/, /^(model\.)?rotary_emb\.inv_freq$/, /^rope_(freqs|factors_long|factors_short)\.weight$/]

const pairedNames: NameTable = { ...ggufNames, q: { ...ggufNames.q, pairs: true }, k: { ...ggufNames.k, pairs: true } }

/** What rotary scaling GGUF has no words for. */
export function scalingGap(spec: DecoderSpec): string | null {
  return spec.positions.kind === 'rope' && spec.positions.rope.scaling.kind === 'dynamic' ? 'dynamic rotary scaling (used beyond the trained context)' : null
}

function readLlama(config: Fields): DecoderSpec {
  const attention = config.flag('attention_bias', false)
  const mlp = config.flag('mlp_bias', false)
  return { ...llamaSpec(config), biases: [...(attention ? (['q', 'k', 'v', 'o'] as const) : []), ...(mlp ? (['gate', 'up', 'down'] as const) : [])] }
}

export const llama: Family = {
  modelTypes: ['llama'],
  ggufArchitecture: 'llama',
  fromConfig: readLlama,
  fromGguf: (metadata, tensors) => ggufSpec(metadata, tensors, 'llama', ggufNames),
  names: llamaNames,
  ggufNames: pairedNames,
  prefixes: ['model.', ''],
  ignored: llamaIgnored,
  ggufGap: scalingGap,
}

export const mistral: Family = {
  ...llama,
  modelTypes: ['mistral'],
  fromConfig(config) {
    const spec = llamaSpec(config)
    const window = readWindow(config, 4096)
    return { ...spec, window, sliding: readSliding(config, spec.blocks, window, () => true) }
  },
  ggufGap: (spec) => (spec.window === null ? scalingGap(spec) : `the sliding window (it is lost beyond ${spec.window} positions)`),
}
