/** @file A DecoderSpec as GGUF key-values, under llama.cpp's names. */
import { linears, type DecoderSpec, type RopeScaling } from '../graph/decoder/spec.ts'
import type { GgufEntries, GgufEntry } from '../io/gguf-writer.ts'

const count = (value: number): GgufEntry => ({ type: 'u32', value })
const real = (value: number): GgufEntry => ({ type: 'f32', value })
const text = (value: string): GgufEntry => ({ type: 'string', value })

/** llama.cpp's number of the file type named by the format most weights have (`general.file_type`). */
const fileTypes: Readonly<Record<string, number>> = {
  F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q8_0: 7, Q5_0: 8, Q5_1: 9, Q2_K: 10, Q3_K: 12, Q4_K: 15, Q5_K: 17, Q6_K: 18, IQ4_NL: 25, IQ4_XS: 30, BF16: 32, TQ1_0: 36, TQ2_0: 37, MXFP4: 38,
}

/** Scalings that are key-values; Llama 3's and LongRoPE's factors are tensors. */
function scalingEntries(scaling: RopeScaling): GgufEntries {
  switch (scaling.kind) {
    case 'linear':
      return { 'rope.scaling.type': text('linear'), 'rope.scaling.factor': real(scaling.factor) }
    case 'yarn':
      return {
        'rope.scaling.type': text('yarn'), 'rope.scaling.factor': real(scaling.factor), 'rope.scaling.original_context_length': count(scaling.original),
        'rope.scaling.attn_factor': real(scaling.attention / (1 + 0.1 * Math.log(scaling.factor))),
        'rope.scaling.yarn_beta_fast': real(scaling.fast), 'rope.scaling.yarn_beta_slow': real(scaling.slow),
      }
    case 'longrope':
      return { 'rope.scaling.type': text('longrope'), 'rope.scaling.original_context_length': count(scaling.original), 'rope.scaling.attn_factor': real(scaling.attention) }
    default:
      return {}
  }
}

function positionEntries({ positions }: DecoderSpec): GgufEntries {
  if (positions.kind !== 'rope') return {}
  const { rope, local } = positions
  return {
    'rope.freq_base': real(rope.theta),
    'rope.dimension_count': count(rope.dimensions),
    ...(local.theta !== rope.theta && { 'rope.freq_base_swa': real(local.theta) }),
    ...scalingEntries(rope.scaling),
  }
}

/** The architecture's key-values and the general ones. `type` is the format that most weights have. */
export function modelEntries(spec: DecoderSpec, architecture: string, name: string, type: string): GgufEntries {
  const own: GgufEntries = {
    context_length: count(spec.contextLength),
    embedding_length: count(spec.hidden),
    block_count: count(spec.blocks),
    feed_forward_length: count(spec.intermediate),
    'attention.head_count': count(spec.heads),
    'attention.head_count_kv': count(spec.kvHeads),
    'attention.key_length': count(spec.headSize),
    'attention.value_length': count(spec.headSize),
    [spec.norm.kind === 'rms' ? 'attention.layer_norm_rms_epsilon' : 'attention.layer_norm_epsilon']: real(spec.norm.epsilon),
    vocab_size: count(spec.vocabulary),
    ...positionEntries(spec),
    ...(spec.window !== null && { 'attention.sliding_window': count(spec.window) }),
    ...(spec.sliding.includes(true) && spec.sliding.includes(false) && { 'attention.sliding_window_pattern': count(spec.sliding.indexOf(false) + 1) }),
    ...(spec.attentionCap !== null && { attn_logit_softcapping: real(spec.attentionCap) }),
    ...(spec.logitCap !== null && { final_logit_softcapping: real(spec.logitCap) }),
    ...(!linears(spec).includes('gate') && { use_parallel_residual: { type: 'bool', value: false } }),
  }
  return {
    'general.architecture': text(architecture),
    'general.type': text('model'),
    'general.name': text(name),
    'general.file_type': count(fileTypes[type] ?? 1),
    'general.quantization_version': count(2),
    ...Object.fromEntries(Object.entries(own).map(([key, entry]) => [`${architecture}.${key}`, entry])),
  }
}
