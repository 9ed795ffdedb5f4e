import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { adapterScale, type Adapter, type LayerAdapter } from '../correct/adapter.ts'
import { adapterSource } from '../correct/adapter-source.ts'
import { mergeBlock } from '../correct/merge.ts'
import { openCheckpoint } from '../io/open.ts'
import { withFolder } from '../io/temporary-folder.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { ggufAdapterSize, writeGgufAdapter } from './adapter-gguf.ts'
import { peftAdapterSize, writePeftAdapter } from './adapter-peft.ts'
import { readAdapter } from './adapter-read.ts'

const models = path.join(import.meta.dirname, '../session/goldens')
const adapters = path.join(import.meta.dirname, 'goldens/adapters')
const families = ['llama', 'phi3', 'gpt2', 'bloom', 'gemma2']
/** Of the largest logit: float32 against float64. */
const TOLERANCE = 2e-5
/** float16 has 11 significant bits; float32 rounding of a folded factor is far below. */
const HALF_STEP = 2 ** -11
const FLOAT_STEP = 1e-6

async function withModel<T>(name: string, work: (model: DecoderModel) => Promise<T>): Promise<T> {
  const model = await openDecoder(path.join(models, name), silent)
  try {
    return await work(model)
  } finally {
    await model.close()
  }
}

/** Logits of the first golden sequence with the branches merged. */
async function logitsWith(model: DecoderModel, adapter: Adapter): Promise<Float32Array> {
  const program = openProgram(model, { threads: 1 })
  let hidden = await program.embed(Int32Array.from(index.tokens[0]))
  for (let block = 0; block < program.blocks; block++) hidden = await program.run(block, hidden, await mergeBlock(block, await program.weights(block), adapter))
  const logits = await program.logits(await program.finish(hidden))
  program.dispose()
  return logits
}

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  expect(actual).toHaveLength(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return actual.reduce((worst, value, at) => Math.max(worst, Math.abs(value - expected[at])), 0) / largest
}

async function golden(name: string): Promise<Float32Array> {
  const bytes = await readFile(path.join(adapters, name, 'logits.bin'))
  return new Float32Array(new Uint8Array(bytes).buffer).subarray(0, index.tokens[0].length * index.vocabulary)
}

/** (alpha/rank)·B·A, whatever the factors are. */
function product(branch: LayerAdapter): Float32Array {
  const { rank, a, b } = branch
  const [rows, cols] = [b.length / rank, a.length / rank]
  return Float32Array.from({ length: rows * cols }, (_, at) => {
    let sum = 0
    for (let k = 0; k < rank; k++) sum += b[Math.floor(at / cols) * rank + k] * a[k * cols + (at % cols)]
    return sum * adapterScale(branch)
  })
}

function expectSame(actual: Adapter, expected: Adapter, tolerance: number): void {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort())
  for (const [layer, branch] of expected) {
    const other = actual.get(layer)
    expect(other?.rank, layer).toBe(branch.rank)
    if (other) expect(largestDifference(product(other), product(branch)), layer).toBeLessThan(tolerance)
  }
}

describe.each(families)('%s', (name) => {
  test('a PEFT folder gives the logits PEFT computes', async () => {
    await withModel(name, async (model) => {
      const adapter = await readAdapter(path.join(adapters, name), model, silent)
      expect(largestDifference(await logitsWith(model, adapter), await golden(name))).toBeLessThan(TOLERANCE)
      expect(largestDifference(await logitsWith(model, new Map()), await golden(name))).toBeGreaterThan(0.05)
    })
  })

  test('a GGUF file is read as the PEFT folder of the same adapter', async () => {
    await withModel(name, async (model) => {
      expectSame(await readAdapter(path.join(adapters, name, 'adapter.gguf'), model, silent), await readAdapter(path.join(adapters, name), model, silent), FLOAT_STEP)
    })
  })

  test('the GGUF file has the names, shapes and numbers of llama.cpp’s conventions', async () => {
    await withModel(name, async (model) => withFolder(async (folder) => {
      const adapter = await readAdapter(path.join(adapters, name), model, silent)
      const file = path.join(folder, 'adapter.gguf')
      const { sizeBytes } = await writeGgufAdapter(file, model, adapterSource(adapter), { storage: 'float16' }, silent)
      expect((await stat(file)).size).toBe(sizeBytes)
      expect(ggufAdapterSize(model, adapterSource(adapter), { storage: 'float16' })).toBe(sizeBytes)
      const [ours, theirs] = [await openCheckpoint(file), await openCheckpoint(path.join(adapters, name, 'adapter.gguf'))]
      expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort())
      expect(ours.metadata).toMatchObject({ 'general.architecture': theirs.metadata['general.architecture'], 'general.type': 'adapter', 'adapter.type': 'lora' })
      expectSame(await readAdapter(file, model, silent), adapter, 4 * HALF_STEP)
      await ours.close()
      await theirs.close()
    }))
  })

  test('the PEFT folder has the tensors PEFT wrote, bit for bit where no layers share one', async () => {
    await withModel(name, async (model) => withFolder(async (folder) => {
      const adapter = await readAdapter(path.join(adapters, name), model, silent)
      const { sizeBytes } = await writePeftAdapter(folder, model, adapterSource(adapter), { type: 'F32' }, silent)
      expect(peftAdapterSize(model, adapterSource(adapter), { type: 'F32' })).toBe(sizeBytes)
      const [ours, theirs] = [await openCheckpoint(path.join(folder, 'adapter_model.safetensors')), await openCheckpoint(path.join(adapters, name, 'adapter_model.safetensors'))]
      expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort())
      for (const [tensor, { shape }] of theirs.tensors) {
        if (/qkv|c_attn|query_key_value|gate_up/.test(tensor)) continue // the parts of q, k and v get their own ranks
        expect(ours.tensors.get(tensor)?.shape, tensor).toEqual(shape)
        expect(Buffer.compare(await ours.read(tensor), await theirs.read(tensor)), tensor).toBe(0)
      }
      await ours.close()
      await theirs.close()
      const config: unknown = JSON.parse(await readFile(path.join(folder, 'adapter_config.json'), 'utf8'))
      expect(config).toMatchObject({ peft_type: 'LORA', task_type: 'CAUSAL_LM', bias: 'none', fan_in_fan_out: name === 'gpt2' })
      expectSame(await readAdapter(folder, model, silent), adapter, FLOAT_STEP)
    }))
  })
})

test('factors that differ by layer survive both formats', async () => {
  await withModel('llama', async (model) => withFolder(async (folder) => {
    const adapter = await readAdapter(path.join(adapters, 'llama'), model, silent)
    expect(adapter.get('blocks.1.q')).toMatchObject({ rank: 5, alpha: 6 })
    expect(adapter.get('blocks.0.down')).toMatchObject({ rank: 3, alpha: 1.5 })
    await writePeftAdapter(folder, model, adapterSource(adapter), {}, silent)
    const config: unknown = JSON.parse(await readFile(path.join(folder, 'adapter_config.json'), 'utf8'))
    expect(config).toMatchObject({ r: 3, lora_alpha: 6, rank_pattern: { 'model.layers.1.self_attn.q_proj': 5 }, alpha_pattern: { 'model.layers.0.mlp.down_proj': 1.5 } })
    expect(config).toMatchObject({ target_modules: ['q_proj', 'k_proj', 'o_proj', 'down_proj'] })
  }))
})

test('int8 in GGUF is Q8_0 where rows are whole blocks', async () => {
  await withModel('llama', async (model) => withFolder(async (folder) => {
    const adapter = await readAdapter(path.join(adapters, 'llama'), model, silent)
    const file = path.join(folder, 'adapter.gguf')
    await writeGgufAdapter(file, model, adapterSource(adapter), { storage: 'int8' }, silent)
    const { tensors, close } = await openCheckpoint(file).then((one) => ({ tensors: one.tensors, close: () => one.close() }))
    expect(tensors.get('blk.0.attn_q.weight.lora_a')?.type).toBe('Q8_0')
    expect(tensors.get('blk.0.attn_q.weight.lora_b')?.type).toBe('F16')
    await close()
    expectSame(await readAdapter(file, model, silent), adapter, 0.02)
  }))
})

describe('refused', () => {
  test('another architecture, another kind of file', async () => {
    await withModel('llama', async (model) => {
      await expect(readAdapter(path.join(adapters, 'gpt2/adapter.gguf'), model, silent)).rejects.toThrow('found an adapter for the architecture gpt2, expected llama')
      await expect(readAdapter(path.join(models, 'llama/model.gguf'), model, silent)).rejects.toThrow('found a GGUF file that is no adapter, expected a GGUF LoRA adapter')
    })
  })

  /** The llama golden with another configuration or other tensors. */
  async function changed(change: { config?: Record<string, unknown>; rename?: readonly [string, string] }, model: string): Promise<void> {
    await withFolder(async (folder) => {
      const config: unknown = JSON.parse(await readFile(path.join(adapters, 'llama/adapter_config.json'), 'utf8'))
      await writeFile(path.join(folder, 'adapter_config.json'), JSON.stringify({ ...(config as object), ...change.config }))
      const bytes = await readFile(path.join(adapters, 'llama/adapter_model.safetensors'))
      const length = Number(bytes.readBigUInt64LE())
      let text = bytes.subarray(8, 8 + length).toString()
      if (change.rename) text = text.replaceAll(change.rename[0], change.rename[1])
      const size = Buffer.alloc(8)
      size.writeBigUInt64LE(BigInt(Buffer.byteLength(text)))
      await writeFile(path.join(folder, 'adapter_model.safetensors'), Buffer.concat([size, Buffer.from(text), bytes.subarray(8 + length)]))
      await withModel(model, (opened) => readAdapter(folder, opened, silent))
    })
  }

  test.each([
    ['DoRA', { config: { use_dora: true } }, 'llama', /use_dora true, expected a plain LoRA adapter/],
    ['another method', { config: { peft_type: 'IA3' } }, 'llama', /peft_type "IA3"/],
    ['layers saved whole', { config: { modules_to_save: ['lm_head'] } }, 'llama', /modules_to_save \["lm_head"\]/],
    ['patterns that are programs', { config: { alpha_pattern: { '(a+)+$': 1 } } }, 'llama', /alpha_pattern "\(a\+\)\+\$", expected plain module names/],
    ['a layer the model does not have', { rename: ['layers.1.', 'layers.7.'] as const }, 'llama', /layers\.7\.\S+: found a branch beside a layer that the model does not have/],
    ['another model’s shapes', {}, 'qwen3', /k_proj\.lora_A\.weight: found A \[3, 32\] and B \[16, 3\], expected A \[rank, 32\] and B \[32, rank\] for the layer \[32, 32\]/],
    ['half of a branch', { rename: ['layers.0.self_attn.k_proj.lora_B', 'layers.0.self_attn.k_proj.lora_C'] as const }, 'llama', /found the first half of a branch, expected base_model\.model\.model\.layers\.0\.self_attn\.k_proj\.lora_B\.weight beside it/],
    ['something else', { rename: ['layers.0.self_attn.k_proj.lora_', 'layers.0.self_attn.k_proj.other_'] as const }, 'llama', /found a tensor that is no branch of a layer/],
  ])('%s', async (_, change, model, message) => {
    await expect(changed(change, model)).rejects.toThrow(message)
  })

  test('a rank above the layer’s size', async () => {
    await withModel('llama', async (model) => withFolder(async (folder) => {
      const rank = 33
      const branch = { layer: 'blocks.0.q', rank, alpha: rank, a: new Float32Array(rank * 32), b: new Float32Array(32 * rank) }
      await writePeftAdapter(folder, model, adapterSource(new Map([[branch.layer, branch]])), {}, silent)
      await expect(readAdapter(folder, model, silent)).rejects.toThrow(/found rank 33, expected 1 to 32/)
    }))
  })

  test('numbers that are not finite', async () => {
    await withModel('llama', async (model) => withFolder(async (folder) => {
      const branch = { layer: 'blocks.0.q', rank: 1, alpha: 1, a: new Float32Array(32).fill(NaN), b: new Float32Array(32) }
      await writePeftAdapter(folder, model, adapterSource(new Map([[branch.layer, branch]])), { type: 'F32' }, silent)
      await expect(readAdapter(folder, model, silent)).rejects.toThrow(/found numbers that are not finite/)
    }))
  })
})
