/** @file GPT-2 (Radford et al. 2019): layer norms, learned positions, linear weights stored [in, out], q, k, v in one tensor. */
import { BLOCKS_MAX } from '../fields.ts'
import { activationNames, plain, refuseUnsupported } from './config.ts'
import { refuse, type Family, type NameTable } from './family.ts'
import { ggufNamesUngated, ggufSpec, stacked } from './metadata.ts'

const projections = ['q', 'k', 'v'] as const
const fusedNames: NameTable = { ...ggufNamesUngated, ...stacked('blk.{i}.attn_qkv', projections) }
const everything = ['q', 'k', 'v', 'o', 'up', 'down'] as const

export const gpt2: Family = {
  modelTypes: ['gpt2'],
  ggufArchitecture: 'gpt2',
  fromConfig(config) {
    refuseUnsupported(config)
    refuse(config, { scale_attn_by_inverse_layer_idx: 'attention scaled by the block number' })
    const hidden = config.count('n_embd')
    const heads = config.count('n_head')
    const blocks = config.count('n_layer', { max: BLOCKS_MAX })
    const headSize = Math.floor(hidden / heads)
    const contextLength = config.count('n_positions')
    return {
      ...plain,
      architecture: 'gpt2',
      hidden, blocks, heads, headSize, contextLength,
      kvHeads: heads,
      intermediate: config.count('n_inner', { fallback: 4 * hidden }),
      vocabulary: config.count('vocab_size'),
      norm: { kind: 'layer', epsilon: config.number('layer_norm_epsilon', 1e-5), placement: 'pre', final: true },
      positions: { kind: 'learned', offset: 0, rows: contextLength },
      activation: config.choice('activation_function', activationNames, 'gelu_new'),
      gated: false,
      biases: everything,
      attentionScale: config.flag('scale_attn_weights', true) ? 1 / Math.sqrt(headSize) : 1,
      window: null,
      sliding: Array.from({ length: blocks }, () => false),
      tied: config.flag('tie_word_embeddings', true),
    }
  },
  fromGguf(metadata, tensors) {
    const spec = ggufSpec(metadata, tensors, 'gpt2', fusedNames)
    return { ...spec, activation: 'gelu-tanh', positions: { kind: 'learned', offset: 0, rows: spec.contextLength } }
  },
  names: {
    embedding: { module: 'wte' },
    positions: { module: 'wpe' },
    final_norm: { module: 'ln_f' },
    head: { module: '/lm_head' },
    attention_norm: { module: 'h.{i}.ln_1' },
    ...stacked('h.{i}.attn.c_attn', projections, { transposed: true }),
    o: { module: 'h.{i}.attn.c_proj', transposed: true },
    mlp_norm: { module: 'h.{i}.ln_2' },
    up: { module: 'h.{i}.mlp.c_fc', transposed: true },
    down: { module: 'h.{i}.mlp.c_proj', transposed: true },
  },
  ggufNames: fusedNames,
  prefixes: ['transformer.', ''],
  ignored: [/^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/],
  ggufGap: (spec) => (spec.activation === 'gelu-tanh' ? null : `the activation ${spec.activation}`),
}
