/** @file Parts of config.json that several families share: rotary scaling in its old and new spelling, sliding windows, activations. */
import { AppError } from '../../../../contract/errors.ts'
import { BLOCKS_MAX, type Fields } from '../fields.ts'
import type { Activation, DecoderSpec, Positions, Rope, RopeScaling } from '../spec.ts'
import { refuse } from './family.ts'

/** transformers' names of activations. */
export const activationNames: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  relu: 'relu',
}

/** What most models do not have. */
export const plain = {
  qkNorm: false,
  biases: [],
  attentionCap: null,
  logitCap: null,
  embeddingScale: 1,
  embeddingNorm: false,
} as const satisfies Partial<DecoderSpec>

const unsupportedFeatures = {
  num_experts: 'a mixture of experts',
  num_local_experts: 'a mixture of experts',
  n_routed_experts: 'a mixture of experts',
  is_encoder_decoder: 'an encoder',
  add_cross_attention: 'cross attention',
  vision_config: 'a vision tower',
  use_bidirectional_attention: 'attention to later positions',
}

/** YaRN's factor of cos and sin: 0.1 · mscale · ln(factor) + 1. */
function yarnAttention(factor: number, mscale = 1): number {
  return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1
}

type ReadScaling = (scaling: Fields, context: { max: number; original: number }) => RopeScaling

const longrope: ReadScaling = (scaling, { max, original }) => {
  const factor = scaling.has('factor') ? scaling.number('factor') : max / original
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))
  return { kind: 'longrope', short: scaling.numbers('short_factor') ?? [], long: scaling.numbers('long_factor') ?? [], attention: scaling.number('attention_factor', usual), original }
}

/** rope_type → what it means. */
const scalings: Readonly<Record<string, ReadScaling>> = {
  default: () => ({ kind: 'none' }),
  linear: (scaling) => ({ kind: 'linear', factor: scaling.number('factor') }),
  dynamic: (scaling, { max }) => ({ kind: 'dynamic', factor: scaling.number('factor'), original: max }),
  llama3: (scaling, { original }) => ({
    kind: 'llama3', factor: scaling.number('factor'), low: scaling.number('low_freq_factor'), high: scaling.number('high_freq_factor'), original,
  }),
  yarn(scaling, { max, original }) {
    if (scaling.has('long_factor')) return longrope(scaling, { max, original }) // Phi-3's first name for it
    const factor = scaling.has('factor') ? scaling.number('factor') : max / original
    const scales = scaling.has('mscale') && scaling.has('mscale_all_dim') ? yarnAttention(factor, scaling.number('mscale')) / yarnAttention(factor, scaling.number('mscale_all_dim')) : yarnAttention(factor)
    return {
      kind: 'yarn', factor, attention: scaling.number('attention_factor', scales), original,
      fast: scaling.number('beta_fast', 32), slow: scaling.number('beta_slow', 1), truncate: scaling.flag('truncate', true),
    }
  },
  longrope,
  su: longrope,
}

/** A rope from `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (4). `parameters` is the record of one kind of block, where kinds differ. */
export function readRope(config: Fields, headSize: number, parameters: Fields | null, theta = 10_000): Rope {
  const scaling = parameters ?? config.nested('rope_scaling')
  const part = (parameters?.has('partial_rotary_factor') === true ? parameters : config).number('partial_rotary_factor', 1)
  const max = config.count('max_position_embeddings')
  const original = config.has('original_max_position_embeddings') ? config.count('original_max_position_embeddings') : scaling?.has('original_max_position_embeddings') === true ? scaling.count('original_max_position_embeddings') : max
  const kind = scaling === null ? 'default' : scaling.has('rope_type') ? 'rope_type' : 'type'
  const read = scaling === null || kind === 'default' ? scalings.default : scaling.choice(kind, scalings, 'default')
  return {
    theta: parameters?.has('rope_theta') === true ? parameters.number('rope_theta') : config.number('rope_theta', theta),
    dimensions: Math.trunc(headSize * part),
    scaling: scaling === null || read === undefined ? { kind: 'none' } : read(scaling, { max, original }),
  }
}

/** The same rope for all blocks. */
export function readPositions(config: Fields, headSize: number): Positions {
  const rope = readRope(config, headSize, config.nested('rope_parameters'))
  return { kind: 'rope', rope, local: rope }
}

/** Which blocks slide: `layer_types` where the file has them, else the family's rule. */
export function readSliding(config: Fields, blocks: number, window: number | null, rule: (block: number) => boolean): readonly boolean[] {
  if (window === null) return Array.from({ length: blocks }, () => false)
  const kinds = config.list('layer_types')
  if (kinds === null) return Array.from({ length: blocks }, (_, block) => rule(block))
  return kinds.map((kind) => {
    if (kind === 'sliding_attention') return true
    if (kind === 'full_attention') return false
    throw new AppError('unsupported-architecture', `${config.where}: layer_types: found ${JSON.stringify(kind)}, expected full_attention or sliding_attention`, { hint: 'Models with other kinds of attention are not supported.' })
  })
}

/** sliding_window: a number, null for none, `fallback` where it is missing. */
export function readWindow(config: Fields, fallback: number | null): number | null {
  if (config.isNull('sliding_window')) return null
  return config.has('sliding_window') || fallback !== null ? config.count('sliding_window', fallback === null ? {} : { fallback }) : null
}

/** The spec of a model built as Llama is; families change what differs. */
export function llamaSpec(config: Fields, options: { headSize?: number; tied?: boolean } = {}): DecoderSpec {
  refuse(config, unsupportedFeatures)
  const hidden = config.count('hidden_size')
  const heads = config.count('num_attention_heads')
  const headSize = config.count('head_dim', { fallback: options.headSize ?? Math.floor(hidden / heads) })
  const blocks = config.count('num_hidden_layers', { max: BLOCKS_MAX })
  return {
    ...plain,
    architecture: config.text('model_type'),
    hidden, blocks, heads, headSize,
    kvHeads: config.count('num_key_value_heads', { fallback: heads }),
    intermediate: config.count('intermediate_size'),
    vocabulary: config.count('vocab_size'),
    contextLength: config.count('max_position_embeddings'),
    norm: { kind: 'rms', epsilon: config.number('rms_norm_eps', 1e-6), placement: 'pre', final: true },
    positions: readPositions(config, headSize),
    activation: config.choice('hidden_act', activationNames, 'silu'),
    gated: true,
    attentionScale: 1 / Math.sqrt(headSize),
    window: null,
    sliding: Array.from({ length: blocks }, () => false),
    tied: config.flag('tie_word_embeddings', options.tied ?? false),
  }
}

/** Refuses what no family here has; for configurations that do not go through `llamaSpec`. */
export function refuseUnsupported(config: Fields): void {
  refuse(config, unsupportedFeatures)
}
