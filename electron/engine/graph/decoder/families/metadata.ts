/** @file Parts of GGUF metadata that several families share; keys are read below the architecture's name. */
import { BLOCKS_MAX, type Fields } from '../fields.ts'
import { linears, type DecoderSpec, type Rope, type RopeScaling } from '../spec.ts'
import { plain } from './config.ts'
import { refuse, type GgufTensors, type NameTable, type Source } from './family.ts'

const unsupportedFeatures = { expert_count: 'a mixture of experts', 'attention.q_lora_rank': 'attention on compressed queries', 'attention.clamp_kqv': 'clamped attention' }

const scalings: Readonly<Record<string, (metadata: Fields) => RopeScaling>> = {
  none: () => ({ kind: 'none' }),
  linear: (metadata) => ({ kind: 'linear', factor: metadata.number('rope.scaling.factor') }),
  yarn(metadata) {
    const factor = metadata.number('rope.scaling.factor')
    return {
      kind: 'yarn', factor, original: metadata.count('rope.scaling.original_context_length', { fallback: metadata.count('context_length') }),
      attention: metadata.number('rope.scaling.attn_factor', 1) * (1 + 0.1 * Math.log(factor)),
      fast: metadata.number('rope.scaling.yarn_beta_fast', 32), slow: metadata.number('rope.scaling.yarn_beta_slow', 1), truncate: true,
    }
  },
  longrope: () => ({ kind: 'none' }), // its factors are tensors, read below
}

function readScaling(metadata: Fields, { factors }: GgufTensors): RopeScaling {
  const long = factors['rope_factors_long.weight']
  const short = factors['rope_factors_short.weight']
  if (long !== undefined && short !== undefined) {
    const original = metadata.count('rope.scaling.original_context_length', { fallback: metadata.count('context_length') })
    return { kind: 'longrope', short, long, attention: metadata.number('rope.scaling.attn_factor', 1), original }
  }
  const divisors = factors['rope_freqs.weight']
  return divisors === undefined ? metadata.choice('rope.scaling.type', scalings, 'none')(metadata) : { kind: 'divided', divisors }
}

/** The rope of a GGUF file. */
export function readGgufRope(metadata: Fields, tensors: GgufTensors, headSize: number): Rope {
  return { theta: metadata.number('rope.freq_base', 10_000), dimensions: metadata.count('rope.dimension_count', { fallback: headSize }), scaling: readScaling(metadata, tensors) }
}

/** The spec of a GGUF model built as Llama is; families change what differs. Biases are those the file has. */
export function ggufSpec(metadata: Fields, tensors: GgufTensors, architecture: string, names: NameTable): DecoderSpec {
  refuse(metadata, unsupportedFeatures)
  const hidden = metadata.count('embedding_length')
  const heads = metadata.count('attention.head_count')
  const headSize = metadata.count('attention.key_length', { fallback: Math.floor(hidden / heads) })
  metadata.count('attention.value_length', { fallback: headSize, max: headSize })
  const blocks = metadata.count('block_count', { max: BLOCKS_MAX })
  const rope = readGgufRope(metadata, tensors, headSize)
  const layerNorm = metadata.has('attention.layer_norm_epsilon')
  const spec: DecoderSpec = {
    ...plain,
    architecture,
    hidden, blocks, heads, headSize,
    kvHeads: metadata.count('attention.head_count_kv', { fallback: heads }),
    intermediate: metadata.count('feed_forward_length'),
    vocabulary: tensors.shape('token_embd.weight')?.[0] ?? metadata.count('vocab_size'),
    contextLength: metadata.count('context_length'),
    norm: { kind: layerNorm ? 'layer' : 'rms', epsilon: metadata.number(layerNorm ? 'attention.layer_norm_epsilon' : 'attention.layer_norm_rms_epsilon'), placement: 'pre', final: true },
    positions: { kind: 'rope', rope, local: rope },
    activation: 'silu',
    gated: names.gate !== undefined,
    attentionScale: 1 / Math.sqrt(headSize),
    window: null,
    sliding: Array.from({ length: blocks }, () => false),
    tied: tensors.shape('output.weight') === null,
  }
  return { ...spec, biases: linears(spec).filter((layer) => tensors.shape(`${(names[layer]?.module ?? layer).replace('{i}', '0')}.bias`) !== null) }
}

const blockName = (name: string): Source => ({ module: `blk.{i}.${name}` })

/** llama.cpp's tensor names. */
export const ggufNames = {
  embedding: { module: 'token_embd' },
  positions: { module: 'position_embd' },
  embedding_norm: { module: 'token_embd_norm' },
  final_norm: { module: 'output_norm' },
  head: { module: 'output' },
  attention_norm: blockName('attn_norm'),
  q: blockName('attn_q'),
  k: blockName('attn_k'),
  v: blockName('attn_v'),
  o: blockName('attn_output'),
  q_norm: blockName('attn_q_norm'),
  k_norm: blockName('attn_k_norm'),
  attention_post_norm: blockName('post_attention_norm'),
  mlp_norm: blockName('ffn_norm'),
  mlp_post_norm: blockName('post_ffw_norm'),
  gate: blockName('ffn_gate'),
  up: blockName('ffn_up'),
  down: blockName('ffn_down'),
} as const satisfies NameTable

/** The same for models whose MLP has no gate. */
export const ggufNamesUngated: NameTable = Object.fromEntries(Object.entries(ggufNames).filter(([name]) => name !== 'gate'))

/** One module holding several weights, rows stacked: a name table of its parts. */
export function stacked(module: string, of: readonly string[], more: Omit<Source, 'module' | 'part'> = {}): NameTable {
  return Object.fromEntries(of.map((name): [string, Source] => [name, { ...more, module, part: { of, order: 'stacked' } }]))
}
