/**
 * @file What config.json says of quantized layers (`quantization_config`), as GPTQModel, vLLM and transformers read it. Layers of other
 * bits or groups than most are rules by name: `dynamic` patterns in the GPTQ layout, further groups in compressed-tensors.
 */
import type { IntFormat } from '../budget/option-bytes.ts'
import { intName } from '../budget/option-bytes.ts'
import type { PackedLayoutName } from '../../contract/recipe.ts'

export interface QuantizedModule {
  /** Name in the model: `model.layers.0.self_attn.q_proj`. */
  readonly module: string
  /** Null for a linear layer that is not quantized. */
  readonly format: IntFormat | null
}
export type QuantizationConfig = Readonly<Record<string, unknown>>

function escape(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Modules by format, most common first. */
function byFormat(modules: readonly QuantizedModule[]): { format: IntFormat; names: string[] }[] {
  const groups = new Map<string, { format: IntFormat; names: string[] }>()
  for (const { module, format } of modules) {
    if (format === null) continue
    const group = groups.get(intName(format)) ?? { format, names: [] }
    group.names.push(module)
    groups.set(intName(format), group)
  }
  return [...groups.values()].sort((a, b) => b.names.length - a.names.length || (intName(a.format) < intName(b.format) ? -1 : 1))
}

const gptqFields = ({ bits, group, isSymmetric }: IntFormat): QuantizationConfig => ({ bits, group_size: group === 'channel' ? -1 : group, sym: isSymmetric, desc_act: false })

function weights({ bits, group, isSymmetric }: IntFormat): QuantizationConfig {
  return {
    num_bits: bits, type: 'int', symmetric: isSymmetric, strategy: group === 'channel' ? 'channel' : 'group', group_size: group === 'channel' ? null : group,
    dynamic: false, actorder: null, block_structure: null, observer: 'minmax', observer_kwargs: {},
  }
}

const writers: Readonly<Record<PackedLayoutName, (modules: readonly QuantizedModule[], tool: string) => QuantizationConfig | null>> = {
  gptq(modules, tool) {
    const [main, ...others] = byFormat(modules)
    if (main === undefined) return null
    const rules = others.flatMap(({ format, names }) => names.map((name) => [`+:^${escape(name)}$`, gptqFields(format)] as const))
    const plain = modules.filter(({ format }) => format === null).map(({ module }) => [`-:^${escape(module)}$`, {}] as const)
    return {
      quant_method: 'gptq', checkpoint_format: 'gptq_v2', format: 'gptq_v2', pack_dtype: 'int32', lm_head: false, ...gptqFields(main.format),
      dynamic: Object.fromEntries([...rules, ...plain]), meta: { quantizer: [tool] },
    }
  },
  'compressed-tensors'(modules, tool) {
    const formats = byFormat(modules)
    if (formats.length === 0) return null
    const groups = formats.map(({ format, names }, i) => [`group_${i}`, { targets: names, weights: weights(format), input_activations: null, output_activations: null, format: 'pack-quantized' }] as const)
    return {
      quant_method: 'compressed-tensors', format: 'pack-quantized', quantization_status: 'compressed', global_compression_ratio: null, kv_cache_scheme: null,
      config_groups: Object.fromEntries(groups), ignore: modules.filter(({ format }) => format === null).map(({ module }) => module), producer: tool,
    }
  },
}

/** The quantization_config of a model's linear layers; null where none is quantized. */
export function quantizationConfig(layout: PackedLayoutName, modules: readonly QuantizedModule[], tool: string): QuantizationConfig | null {
  return writers[layout](modules, tool)
}
