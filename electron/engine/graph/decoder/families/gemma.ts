/**
 * @file Gemma 2 (norms before and after, soft caps, every other block slides) and Gemma 3 text (norms on q and k in place of the
 * caps, five of six blocks slide and have a rope of their own). Norms multiply by 1 + w: Hugging Face stores w, GGUF 1 + w.
 */
import type { Fields } from '../fields.ts'
import type { DecoderSpec } from '../spec.ts'
import { activationNames, llamaSpec, readRope, readSliding, readWindow } from './config.ts'
import type { Family, NameTable, Source } from './family.ts'
import { llama, llamaNames, scalingGap } from './llama.ts'
import { ggufNames, ggufSpec } from './metadata.ts'

const onePlus = (module: string): Source => ({ module, plus: 1 })

const gemma2Names: NameTable = {
  ...llamaNames,
  final_norm: onePlus('norm'),
  attention_norm: onePlus('layers.{i}.input_layernorm'),
  attention_post_norm: onePlus('layers.{i}.post_attention_layernorm'),
  mlp_norm: onePlus('layers.{i}.pre_feedforward_layernorm'),
  mlp_post_norm: onePlus('layers.{i}.post_feedforward_layernorm'),
}

/** Blocks of the 27 B models, whose query scale is by hidden size per head; all others' is by head size. */
const blocksBySize = { gemma2: 46, gemma3: 62 } as const

function ggufScale(spec: DecoderSpec, family: 'gemma2' | 'gemma3'): number {
  return 1 / Math.sqrt(spec.blocks === blocksBySize[family] ? spec.hidden / spec.heads : spec.headSize)
}

function scaleGap(spec: DecoderSpec, family: 'gemma2' | 'gemma3'): string | null {
  const scale = ggufScale(spec, family)
  return Math.abs(spec.attentionScale / scale - 1) > 1e-6 ? `a query scale of ${spec.attentionScale.toPrecision(4)} (llama.cpp takes ${scale.toPrecision(4)})` : scalingGap(spec)
}

function fromConfig(config: Fields): DecoderSpec {
  const spec = llamaSpec(config, { headSize: 256, tied: true })
  return {
    ...spec,
    biases: config.flag('attention_bias', false) ? ['q', 'k', 'v', 'o'] : [],
    norm: { ...spec.norm, placement: 'both' },
    activation: config.choice(config.has('hidden_activation') ? 'hidden_activation' : 'hidden_act', activationNames, 'gelu_pytorch_tanh'),
    attentionScale: config.number('query_pre_attn_scalar', 256) ** -0.5,
    window: readWindow(config, 4096),
    embeddingScale: Math.sqrt(spec.hidden),
  }
}

function fromGguf(spec: DecoderSpec, metadata: Fields, family: 'gemma2' | 'gemma3'): DecoderSpec {
  return {
    ...spec,
    norm: { ...spec.norm, placement: 'both' },
    activation: 'gelu-tanh',
    attentionScale: ggufScale(spec, family),
    window: metadata.has('attention.sliding_window') ? metadata.count('attention.sliding_window') : null,
    embeddingScale: Math.sqrt(spec.hidden),
  }
}

function every(period: number): (block: number) => boolean {
  return (block) => (block + 1) % period !== 0
}

function slide(spec: DecoderSpec, rule: (block: number) => boolean): readonly boolean[] {
  return spec.sliding.map((_, block) => spec.window !== null && rule(block))
}

function cap(fields: Fields, key: string, fallback: number | null): number | null {
  if (fields.isNull(key)) return null
  return fields.has(key) || fallback !== null ? fields.number(key, fallback ?? undefined) : null
}

export const gemma2: Family = {
  ...llama,
  modelTypes: ['gemma2'],
  ggufArchitecture: 'gemma2',
  fromConfig(config) {
    const spec = fromConfig(config)
    return {
      ...spec,
      attentionCap: cap(config, 'attn_logit_softcapping', 50),
      logitCap: cap(config, 'final_logit_softcapping', 30),
      sliding: readSliding(config, spec.blocks, spec.window, every(2)),
    }
  },
  fromGguf(metadata, tensors) {
    const spec = fromGguf(ggufSpec(metadata, tensors, 'gemma2', ggufNames), metadata, 'gemma2')
    return { ...spec, attentionCap: cap(metadata, 'attn_logit_softcapping', 50), logitCap: cap(metadata, 'final_logit_softcapping', 30), sliding: slide(spec, every(2)) }
  },
  names: gemma2Names,
  ggufNames,
  ggufGap: (spec) => scaleGap(spec, 'gemma2'),
}

export const gemma3: Family = {
  ...llama,
  modelTypes: ['gemma3_text'],
  ggufArchitecture: 'gemma3',
  fromConfig(config) {
    const spec = fromConfig(config)
    const parameters = config.nested('rope_parameters')
    const rope = readRope(config, spec.headSize, parameters?.nested('full_attention') ?? null, 1_000_000)
    const sliding = parameters?.nested('sliding_attention')
    const theta = sliding?.has('rope_theta') === true ? sliding.number('rope_theta') : config.number('rope_local_base_freq', 10_000)
    return {
      ...spec,
      qkNorm: true,
      positions: { kind: 'rope', rope, local: { ...rope, theta, scaling: { kind: 'none' } } },
      attentionCap: cap(config, 'attn_logit_softcapping', null),
      logitCap: cap(config, 'final_logit_softcapping', null),
      sliding: readSliding(config, spec.blocks, spec.window, every(config.count('sliding_window_pattern', { fallback: 6 }))),
    }
  },
  fromGguf(metadata, tensors) {
    const spec = fromGguf(ggufSpec(metadata, tensors, 'gemma3', ggufNames), metadata, 'gemma3')
    const rope = spec.positions.kind === 'rope' ? spec.positions.rope : { theta: 1, dimensions: 0, scaling: { kind: 'none' as const } }
    return {
      ...spec,
      qkNorm: true,
      positions: { kind: 'rope', rope, local: { ...rope, theta: metadata.number('rope.freq_base_swa', 10_000), scaling: { kind: 'none' } } },
      logitCap: cap(metadata, 'final_logit_softcapping', null),
      sliding: slide(spec, every(metadata.count('attention.sliding_window_pattern', { fallback: 6 }))),
    }
  },
  names: { ...gemma2Names, q_norm: onePlus('layers.{i}.self_attn.q_norm'), k_norm: onePlus('layers.{i}.self_attn.k_norm') },
  ggufNames,
  ggufGap: (spec) => scaleGap(spec, 'gemma3'),
}
