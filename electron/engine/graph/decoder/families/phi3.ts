/** @file Phi-3 (Abdin et al. 2024): a Llama whose q, k, v are one tensor and whose gate and up are another. */
import { llamaSpec, readSliding, readWindow } from './config.ts'
import type { Family, NameTable } from './family.ts'
import { llama, llamaNames } from './llama.ts'
import { ggufNames, ggufSpec, stacked } from './metadata.ts'

const projections = ['q', 'k', 'v'] as const
const halves = ['gate', 'up'] as const
const fusedNames: NameTable = { ...ggufNames, ...stacked('blk.{i}.attn_qkv', projections), ...stacked('blk.{i}.ffn_up', halves) }

export const phi3: Family = {
  ...llama,
  modelTypes: ['phi3'],
  ggufArchitecture: 'phi3',
  fromConfig(config) {
    const spec = llamaSpec(config)
    const window = readWindow(config, null)
    return { ...spec, window, sliding: readSliding(config, spec.blocks, window, () => true) }
  },
  fromGguf(metadata, tensors) {
    const spec = ggufSpec(metadata, tensors, 'phi3', fusedNames)
    const window = metadata.has('attention.sliding_window') ? metadata.count('attention.sliding_window') : null
    return { ...spec, window, sliding: spec.sliding.map(() => window !== null) }
  },
  names: { ...llamaNames, ...stacked('layers.{i}.self_attn.qkv_proj', projections), ...stacked('layers.{i}.mlp.gate_up_proj', halves) },
  ggufNames: fusedNames,
  ggufGap: () => null,
  ggufIgnored: ({ window }) => (window === null ? null : `llama.cpp attends beyond this model's sliding window of ${window} positions: in longer contexts its results differ from those measured here.`),
}
