/** @file Qwen 2 and 2.5 (biases on q, k, v) and Qwen 3 (a norm on every head of q and k instead). */
import type { Fields } from '../fields.ts'
import type { DecoderSpec } from '../spec.ts'
import { llamaSpec, readSliding, readWindow } from './config.ts'
import type { Family } from './family.ts'
import { llama, llamaNames, scalingGap } from './llama.ts'
import { ggufNames, ggufSpec } from './metadata.ts'

/** Blocks from `max_window_layers` on slide, where the window is used at all. */
function withWindow(config: Fields, spec: DecoderSpec): DecoderSpec {
  const window = config.flag('use_sliding_window', false) ? readWindow(config, 4096) : null
  const first = window === null ? 0 : config.number('max_window_layers', 28)
  return { ...spec, window, sliding: readSliding(config, spec.blocks, window, (block) => block >= first) }
}

function gap(spec: DecoderSpec): string | null {
  return spec.window === null ? scalingGap(spec) : 'the sliding window of its upper blocks'
}

export const qwen2: Family = {
  ...llama,
  modelTypes: ['qwen2'],
  ggufArchitecture: 'qwen2',
  fromConfig: (config) => withWindow(config, { ...llamaSpec(config), biases: ['q', 'k', 'v'] }),
  fromGguf: (metadata, tensors) => ggufSpec(metadata, tensors, 'qwen2', ggufNames),
  ggufNames,
  ggufGap: gap,
}

export const qwen3: Family = {
  ...llama,
  modelTypes: ['qwen3'],
  ggufArchitecture: 'qwen3',
  fromConfig: (config) => withWindow(config, { ...llamaSpec(config, { headSize: 128 }), qkNorm: true, biases: config.flag('attention_bias', false) ? ['q', 'k', 'v', 'o'] : [] }),
  fromGguf: (metadata, tensors) => ({ ...ggufSpec(metadata, tensors, 'qwen3', ggufNames), qkNorm: true }),
  names: { ...llamaNames, q_norm: { module: 'layers.{i}.self_attn.q_norm' }, k_norm: { module: 'layers.{i}.self_attn.k_norm' } },
  ggufNames,
  ggufGap: gap,
}
