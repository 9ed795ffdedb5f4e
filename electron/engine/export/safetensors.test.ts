import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { LayerChoice, PackedLayoutName } from '../../contract/recipe.ts'
import { openCheckpoint } from '../io/open.ts'
import { writeSafetensors } from '../io/safetensors-writer.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import type { ExportTask } from './exporter.ts'
import { safetensorsExporter } from './safetensors.ts'
import { chooseByTurns, decodeLayer, encodeLayers, provenance, smallTokenizer } from './testing.ts'

const goldens = path.join(import.meta.dirname, '../session/goldens')
const layouts: readonly PackedLayoutName[] = ['gptq', 'compressed-tensors']
const mix: readonly CodecName[] = ['int4-g32', 'int3-g32-sym', 'int2-g64', 'int8-channel', 'F16', 'int4-channel-sym', 'int8-g32-sym', 'int3-g64']

const configs = {
  llama: { model_type: 'llama', hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, vocab_size: 96, rms_norm_eps: 1e-5, max_position_embeddings: 64, tie_word_embeddings: false, hidden_act: 'silu' },
  phi3: { model_type: 'phi3', hidden_size: 64, intermediate_size: 96, num_hidden_layers: 1, num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 96, rms_norm_eps: 1e-5, max_position_embeddings: 64, original_max_position_embeddings: 64, tie_word_embeddings: false, hidden_act: 'silu' },
  gpt2: { model_type: 'gpt2', n_embd: 64, n_head: 4, n_layer: 1, n_positions: 32, vocab_size: 96 },
  bloom: { model_type: 'bloom', hidden_size: 64, n_head: 4, n_layer: 1, vocab_size: 96 },
} as const

type Shapes = readonly (readonly [string, readonly number[]])[]

/** Modules by name and the shape of their weights, with biases of so many values where `biasAxis` says which. */
function modules(prefix: string, weights: Readonly<Record<string, readonly number[]>>, biasAxis?: 0 | -1): Shapes {
  return Object.entries(weights).flatMap(([name, shape]) => [
    [`${prefix}${name}.weight`, shape] as const,
    ...(biasAxis === undefined ? [] : [[`${prefix}${name}.bias`, [shape.at(shape.length === 1 ? 0 : biasAxis) ?? 0]] as const]),
  ])
}

const norms = { input_layernorm: [64], post_attention_layernorm: [64] }
const llamaBlock = { 'self_attn.q_proj': [64, 64], 'self_attn.k_proj': [32, 64], 'self_attn.v_proj': [32, 64], 'self_attn.o_proj': [64, 64], 'mlp.gate_proj': [96, 64], 'mlp.up_proj': [96, 64], 'mlp.down_proj': [64, 96], ...norms }
const shapes: Readonly<Record<keyof typeof configs, Shapes>> = {
  llama: [
    ...modules('model.', { embed_tokens: [96, 64], norm: [64] }),
    ...[0, 1].flatMap((i) => modules(`model.layers.${i}.`, llamaBlock)),
    ...modules('', { lm_head: [96, 64] }),
  ],
  phi3: [
    ...modules('model.', { embed_tokens: [96, 64], norm: [64] }),
    ...modules('model.layers.0.', { 'self_attn.qkv_proj': [128, 64], 'self_attn.o_proj': [64, 64], 'mlp.gate_up_proj': [192, 64], 'mlp.down_proj': [64, 96], ...norms }),
    ...modules('', { lm_head: [96, 64] }),
  ],
  gpt2: [
    ...modules('transformer.', { wte: [96, 64], wpe: [32, 64] }),
    ...modules('transformer.h.0.', { 'attn.c_attn': [64, 192], 'attn.c_proj': [64, 64], 'mlp.c_fc': [64, 256], 'mlp.c_proj': [256, 64], ln_1: [64], ln_2: [64] }, -1),
    ...modules('transformer.', { ln_f: [64] }, 0),
  ],
  bloom: [
    ...modules('transformer.', { word_embeddings: [96, 64] }),
    ...modules('transformer.h.0.', { 'self_attention.query_key_value': [192, 64], 'self_attention.dense': [64, 64], 'mlp.dense_h_to_4h': [256, 64], 'mlp.dense_4h_to_h': [64, 256], ...norms }, 0),
    ...modules('transformer.', { word_embeddings_layernorm: [64], ln_f: [64] }, 0),
  ],
}

/** A model of random weights; F32, so that plain layers in F16 are written from their blobs. */
async function writeModel(folder: string, name: keyof typeof configs): Promise<DecoderModel> {
  await mkdir(folder)
  let seed = 1
  const value = (): number => (((seed = (seed * 16807) % 2147483647) / 2147483647) - 0.5) / 4
  const tensors = shapes[name].map(([tensor, shape]) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value)
    return { name: tensor, type: 'F32' as const, shape, data: () => [new Uint8Array(values.buffer)] }
  })
  await writeSafetensors(folder, tensors)
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...configs[name], quantization_config: undefined, custom: [1, null] }))
  for (const companion of ['tokenizer.json', 'LICENSE', 'training_args.bin']) await writeFile(path.join(folder, companion), `{"of":"${companion}"}`)
  return openDecoder(folder, silent)
}

async function prepare(folder: string, name: keyof typeof configs, options: readonly CodecName[]): Promise<ExportTask> {
  const model = await writeModel(path.join(folder, 'source'), name)
  const choice = chooseByTurns(model, 'safetensors', options)
  return { model, tokenizer: smallTokenizer(), provenance: { ...provenance, target: 'safetensors' }, choice, blob: await encodeLayers(model, choice), out: path.join(folder, 'out') }
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const Config = z.looseObject({ quantization_config: z.looseObject({}) })
async function readConfig(folder: string): Promise<z.infer<typeof Config>> {
  return Config.parse(JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')))
}

describe.each(layouts)('%s', (layout) => {
  test.each(['llama', 'phi3', 'bloom', ...(layout === 'gptq' ? (['gpt2'] as const) : [])] as const)('%s reads back as the weights that were quantized', async (name) => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, name, mix)
      const exporter = safetensorsExporter({ layout })
      const size = await exporter.size(task, task.choice)
      const exported = await exporter.write(task, silent)
      expect(exported.sizeBytes).toBe(await folderBytes(task.out))
      expect(size).toBe(exported.sizeBytes)
      const opened = await openDecoder(task.out, silent)
      expect(opened.spec).toEqual(task.model.spec)
      for (const one of task.choice) expect(await opened.readWeight(one.name), `${one.name} ${one.option}`).toEqual(await decodeLayer(task.model, one, task.blob))
      for (const part of [null, 0]) expect(await opened.readExtras(part)).toEqual(await task.model.readExtras(part))
      await opened.close()
      await task.model.close()
    })
  })

  test('the same input gives the same bytes; another run leaves nothing of an earlier one', async () => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, 'llama', mix)
      const sharded = await safetensorsExporter({ layout, maxShardBytes: 20_000 }).write(task, silent)
      expect((await readdir(task.out)).filter((file) => file.includes('-of-')).length).toBeGreaterThan(1)
      expect(sharded.sizeBytes).toBe(await safetensorsExporter({ layout, maxShardBytes: 20_000 }).size(task, task.choice))
      const opened = await openCheckpoint(task.out)
      expect(opened.tensors.has('model.layers.1.mlp.down_proj.weight')).toBe(true)
      await opened.close()
      const first = await safetensorsExporter({ layout }).write(task, silent)
      expect((await readdir(task.out)).some((file) => file.includes('-of-') || file.endsWith('index.json'))).toBe(false)
      expect(await safetensorsExporter({ layout }).write({ ...task, out: path.join(folder, 'again') }, silent)).toEqual({ ...first, path: path.join(folder, 'again') })
      await task.model.close()
    })
  })
})

test('companions and the recipe go along, other files do not', async () => {
  await withFolder(async (folder) => {
    const task = await prepare(folder, 'llama', mix)
    await safetensorsExporter().write(task, silent)
    expect((await readdir(task.out)).sort()).toEqual(['LICENSE', 'config.json', 'halftone.json', 'model.safetensors', 'quantize_config.json', 'tokenizer.json'])
    expect(await readFile(path.join(task.out, 'LICENSE'), 'utf8')).toBe('{"of":"LICENSE"}')
    expect(JSON.parse(await readFile(path.join(task.out, 'halftone.json'), 'utf8'))).toMatchObject({ tool: 'halftone test', choice: { embedding: 'F16', 'blocks.0.q': 'int3-g32-sym' } })
    expect(await readConfig(task.out)).toMatchObject({ model_type: 'llama', custom: [1, null] })
    await task.model.close()
  })
})

/** Layer options by name; all others F16. */
function withOptions(choice: readonly LayerChoice[], options: Readonly<Record<string, CodecName>>): LayerChoice[] {
  return choice.map((one) => ({ ...one, option: options[one.name] ?? 'F16' }))
}

describe('quantization_config', () => {
  const options = { 'blocks.0.q': 'int4-g32', 'blocks.0.k': 'int4-g32', 'blocks.1.down': 'int3-channel-sym' } as const

  test('GPTQ: the commonest format, and patterns for the others', async () => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, 'llama', ['F16'])
      const choice = withOptions(task.choice, options)
      await safetensorsExporter().write({ ...task, choice, blob: await encodeLayers(task.model, choice) }, silent)
      const { quantization_config: config } = await readConfig(task.out)
      const { dynamic, ...rest } = z.looseObject({ dynamic: z.record(z.string(), z.unknown()) }).parse(config)
      expect(rest).toEqual({ quant_method: 'gptq', checkpoint_format: 'gptq_v2', format: 'gptq_v2', pack_dtype: 'int32', lm_head: false, bits: 4, group_size: 32, sym: false, desc_act: false, meta: { quantizer: ['halftone test'] } })
      expect(dynamic['+:^model\\.layers\\.1\\.mlp\\.down_proj$']).toEqual({ bits: 3, group_size: -1, sym: true, desc_act: false })
      expect(dynamic['-:^lm_head$']).toEqual({})
      expect(Object.keys(dynamic)).toHaveLength(13) // of 15 linear layers two have the common format
      await task.model.close()
    })
  })

  test('compressed-tensors: a group for each format, the rest ignored', async () => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, 'llama', ['F16'])
      const choice = withOptions(task.choice, options)
      await safetensorsExporter({ layout: 'compressed-tensors' }).write({ ...task, choice, blob: await encodeLayers(task.model, choice) }, silent)
      const { quantization_config: config } = await readConfig(task.out)
      expect(config).toMatchObject({
        quant_method: 'compressed-tensors', format: 'pack-quantized', quantization_status: 'compressed',
        config_groups: {
          group_0: { targets: ['model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.k_proj'], weights: { num_bits: 4, type: 'int', symmetric: false, strategy: 'group', group_size: 32 } },
          group_1: { targets: ['model.layers.1.mlp.down_proj'], weights: { num_bits: 3, symmetric: true, strategy: 'channel', group_size: null } },
        },
      })
      expect(config.ignore).toHaveLength(12)
      expect(config.ignore).toContain('lm_head')
      await task.model.close()
    })
  })

  test('nothing quantized: a plain model', async () => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, 'gpt2', ['F16'])
      await safetensorsExporter().write(task, silent)
      expect(JSON.parse(await readFile(path.join(task.out, 'config.json'), 'utf8'))).not.toHaveProperty('quantization_config')
      const opened = await openDecoder(task.out, silent)
      for (const one of task.choice) expect(await opened.readWeight(one.name), one.name).toEqual(await decodeLayer(task.model, one, task.blob))
      await opened.close()
      await task.model.close()
    })
  })
})

describe('the layout', () => {
  test.each([
    ['llama', ['int4-g32-sym', 'int2-g64-sym', 'F16'], undefined, 'compressed-tensors'],
    ['llama', ['int4-g32-sym', 'int2-g64', 'F16'], undefined, 'gptq'],
    ['gpt2', ['int4-g32-sym'], undefined, 'gptq'],
    ['llama', ['int4-g32-sym'], 'gptq', 'gptq'],
  ] as const)('%s with %j, asked for %s: %s', async (name, options, asked, expected) => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, name, options)
      await safetensorsExporter().write({ ...task, provenance: { ...task.provenance, layout: asked } }, silent)
      expect((await readConfig(task.out)).quantization_config.quant_method).toBe(expected)
      await task.model.close()
    })
  })
})

describe('what a folder cannot hold', () => {
  test.each([
    ['llama', 'gptq', 'embedding', 'int4-g32', 'the gptq layout cannot hold the option int4-g32: it quantizes only the linear layers of the blocks'],
    ['llama', 'gptq', 'blocks.0.q', 'Q4_K', 'safetensors cannot hold the option Q4_K'],
    ['phi3', 'gptq', 'blocks.0.k', 'int4-g32', 'found different options for blocks.0.q, blocks.0.k, blocks.0.v, expected one for all'],
    ['gpt2', 'compressed-tensors', 'blocks.0.o', 'int4-g32', 'the layer is stored transposed (Conv1D), which its readers do not quantize'],
  ] as const)('%s, %s: %s as %s', async (name, layout, layer, option, message) => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, name, ['F16'])
      const choice = task.choice.map((one) => (one.name === layer ? { ...one, option } : one))
      await expect(safetensorsExporter({ layout }).write({ ...task, choice }, silent)).rejects.toThrow(message)
      await expect(readdir(task.out)).rejects.toThrow('ENOENT')
      await task.model.close()
    })
  })

  test('a GGUF file as the source', async () => {
    const model = await openDecoder(path.join(goldens, 'llama', 'model.gguf'), silent)
    await expect(safetensorsExporter().size({ model, tokenizer: smallTokenizer(), provenance }, [])).rejects.toThrow('found a GGUF file, expected a Hugging Face folder')
    await model.close()
  })

  test('a layer that cannot be read leaves nothing behind', async () => {
    await withFolder(async (folder) => {
      const task = await prepare(folder, 'llama', mix)
      const blob = (layer: string): Promise<Uint8Array> => (layer === 'blocks.1.down' ? Promise.reject(new Error('gone')) : task.blob(layer))
      await expect(safetensorsExporter({ maxShardBytes: 20_000 }).write({ ...task, blob }, silent)).rejects.toThrow('gone')
      expect(await readdir(task.out)).toEqual([])
      await task.model.close()
    })
  })
})
