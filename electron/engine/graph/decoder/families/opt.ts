/** @file OPT (Zhang et al. 2022): GPT-2's shape with ReLU and positions that start at row 2 of their table; norms before or after. */
import { AppError } from '../../../../contract/errors.ts'
import { BLOCKS_MAX } from '../fields.ts'
import { activationNames, plain, refuseUnsupported } from './config.ts'
import { refuse, type Family, type Source } from './family.ts'

/** Rows of the position table before position 0. */
const POSITION_OFFSET = 2

const blockName = (name: string): Source => ({ module: `layers.{i}.${name}` })
const noGguf = 'the architecture: llama.cpp has no OPT'

export const opt: Family = {
  modelTypes: ['opt'],
  ggufArchitecture: null,
  fromConfig(config) {
    refuseUnsupported(config)
    refuse(config, { _remove_final_layer_norm: 'a removed final norm' })
    const hidden = config.count('hidden_size')
    const projected = config.count('word_embed_proj_dim', { fallback: hidden })
    if (projected !== hidden) {
      throw new AppError('unsupported-architecture', `${config.where}: word_embed_proj_dim: found ${projected}, expected hidden_size (${hidden}): project_in and project_out are not supported`, {
        hint: 'Only OPT-350m has them; choose another OPT size.',
      })
    }
    if (!config.flag('enable_bias', true) || !config.flag('layer_norm_elementwise_affine', true)) {
      throw new AppError('unsupported-architecture', `${config.where}: enable_bias, layer_norm_elementwise_affine: found false, expected true: OPT without biases or norm weights is not supported`, { hint: 'Choose another model.' })
    }
    const heads = config.count('num_attention_heads')
    const blocks = config.count('num_hidden_layers', { max: BLOCKS_MAX })
    const headSize = Math.floor(hidden / heads)
    const contextLength = config.count('max_position_embeddings')
    const before = config.flag('do_layer_norm_before', true)
    return {
      ...plain,
      architecture: 'opt',
      hidden, blocks, heads, headSize, contextLength,
      kvHeads: heads,
      intermediate: config.count('ffn_dim'),
      vocabulary: config.count('vocab_size'),
      norm: { kind: 'layer', epsilon: 1e-5, placement: before ? 'pre' : 'post', final: before },
      positions: { kind: 'learned', offset: POSITION_OFFSET, rows: contextLength + POSITION_OFFSET },
      activation: config.choice('activation_function', activationNames, 'relu'),
      gated: false,
      biases: ['q', 'k', 'v', 'o', 'up', 'down'],
      attentionScale: 1 / Math.sqrt(headSize),
      window: null,
      sliding: Array.from({ length: blocks }, () => false),
      tied: config.flag('tie_word_embeddings', true),
    }
  },
  fromGguf(metadata) {
    throw new AppError('unsupported-architecture', `${metadata.where}: found ${noGguf}`, { hint: 'Open the Hugging Face folder of the model.' })
  },
  names: {
    embedding: { module: 'embed_tokens' },
    positions: { module: 'embed_positions' },
    final_norm: { module: 'final_layer_norm' },
    head: { module: '/lm_head' },
    attention_norm: blockName('self_attn_layer_norm'),
    q: blockName('self_attn.q_proj'),
    k: blockName('self_attn.k_proj'),
    v: blockName('self_attn.v_proj'),
    o: blockName('self_attn.out_proj'),
    mlp_norm: blockName('final_layer_norm'),
    up: blockName('fc1'),
    down: blockName('fc2'),
  },
  ggufNames: {},
  prefixes: ['model.decoder.', 'decoder.', ''],
  ignored: [],
  ggufGap: () => noGguf,
}
