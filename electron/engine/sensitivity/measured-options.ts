/**
 * @file Which of a target's options are worth measuring for a layer: one format a step of the size, the best of its kind.
 * Layers whose rows do not take blocks of 256 get the formats with blocks of 32.
 */
import type { CodecName, Target } from '../../contract/options.ts'
import { optionBytes, targetOptions, type SizedLayer } from '../budget/option-bytes.ts'
import type { LayerOption } from './measure-decoder.ts'

const wanted: Readonly<Record<Target, readonly CodecName[]>> = {
  gguf: ['TQ2_0', 'Q2_K', 'Q3_K', 'IQ4_XS', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0'],
  onnx: ['int2-g32', 'int2-g64', 'int4-g128', 'int4-g64', 'int4-g32', 'int8-g64'],
  safetensors: ['int2-g64', 'int2-g32', 'int3-g64', 'int3-g32', 'int4-g64', 'int4-g32', 'int8-g64'],
}

/** Formats that take the place of the wanted ones a layer cannot hold. */
const substitutes: Readonly<Record<Target, readonly CodecName[]>> = {
  gguf: ['IQ4_NL', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0'],
  onnx: ['int2-g32', 'int4-g32', 'int8-g32'],
  safetensors: ['int2-g32', 'int3-g32', 'int4-g32', 'int8-g32', 'F16'],
}

/** Options to measure for a layer, by growing size, and the reasons against the others. `only` names other ones to measure. */
export function measuredOptions(targets: readonly Target[], layer: SizedLayer, only?: readonly string[]): { options: LayerOption[]; excluded: Record<string, string> } {
  const options = new Map<CodecName, number>()
  const excluded: Record<string, string> = {}
  for (const target of targets) {
    let refused = false
    for (const name of only === undefined ? wanted[target] : targetOptions[target].filter((option) => only.includes(option))) {
      const size = optionBytes(target, layer, name)
      if ('bytes' in size) options.set(name, size.bytes)
      else {
        excluded[name] = size.reason
        refused = true
      }
    }
    for (const name of refused ? substitutes[target] : []) {
      const size = optionBytes(target, layer, name)
      if ('bytes' in size) options.set(name, size.bytes)
    }
  }
  return { options: [...options].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => a.bytes - b.bytes), excluded }
}
