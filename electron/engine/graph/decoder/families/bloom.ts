/** @file BLOOM (Scao et al. 2022): ALiBi, a norm on the embeddings, q, k, v of each head side by side in one tensor. */
import { BLOCKS_MAX } from '../fields.ts'
import { plain, refuseUnsupported } from './config.ts'
import { refuse, type Family, type NameTable, type Source } from './family.ts'
import { ggufNamesUngated, ggufSpec, stacked } from './metadata.ts'

const projections = ['q', 'k', 'v'] as const
const perHead: Source = { module: 'h.{i}.self_attention.query_key_value', part: { of: projections, order: 'by-head' } }
const fusedNames: NameTable = { ...ggufNamesUngated, ...stacked('blk.{i}.attn_qkv', projections) }

/** ALiBi has no last position; this is the length the published models were trained with. */
const TRAINED_LENGTH = 2048

export const bloom: Family = {
  modelTypes: ['bloom'],
  ggufArchitecture: 'bloom',
  fromConfig(config) {
    refuseUnsupported(config)
    refuse(config, { apply_residual_connection_post_layernorm: 'a residual taken after the norm' })
    const hidden = config.count(config.has('hidden_size') ? 'hidden_size' : 'n_embed')
    const heads = config.count(config.has('n_head') ? 'n_head' : 'num_attention_heads')
    const blocks = config.count(config.has('n_layer') ? 'n_layer' : 'num_hidden_layers', { max: BLOCKS_MAX })
    const headSize = Math.floor(hidden / heads)
    return {
      ...plain,
      architecture: 'bloom',
      hidden, blocks, heads, headSize,
      kvHeads: heads,
      intermediate: 4 * hidden,
      vocabulary: config.count('vocab_size'),
      contextLength: config.count('seq_length', { fallback: TRAINED_LENGTH }),
      norm: { kind: 'layer', epsilon: config.number('layer_norm_epsilon', 1e-5), placement: 'pre', final: true },
      positions: { kind: 'alibi' },
      activation: 'gelu-tanh',
      gated: false,
      biases: ['q', 'k', 'v', 'o', 'up', 'down'],
      attentionScale: 1 / Math.sqrt(headSize),
      window: null,
      sliding: Array.from({ length: blocks }, () => false),
      embeddingNorm: true,
      tied: config.flag('tie_word_embeddings', true),
    }
  },
  fromGguf(metadata, tensors) {
    return { ...ggufSpec(metadata, tensors, 'bloom', fusedNames), activation: 'gelu-tanh', positions: { kind: 'alibi' }, embeddingNorm: true }
  },
  names: {
    embedding: { module: 'word_embeddings' },
    embedding_norm: { module: 'word_embeddings_layernorm' },
    final_norm: { module: 'ln_f' },
    head: { module: '/lm_head' },
    attention_norm: { module: 'h.{i}.input_layernorm' },
    q: perHead,
    k: perHead,
    v: perHead,
    o: { module: 'h.{i}.self_attention.dense' },
    mlp_norm: { module: 'h.{i}.post_attention_layernorm' },
    up: { module: 'h.{i}.mlp.dense_h_to_4h' },
    down: { module: 'h.{i}.mlp.dense_4h_to_h' },
  },
  ggufNames: fusedNames,
  prefixes: ['transformer.', ''],
  ignored: [],
  ggufGap: () => null,
}
