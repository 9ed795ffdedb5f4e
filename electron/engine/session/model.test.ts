import { copyFile, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { silent } from '../../contract/events.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { inspectDecoder } from './inspect.ts'
import { openDecoder } from './model.ts'

const goldens = path.join(import.meta.dirname, 'goldens')

interface Stored { header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>; data: Uint8Array }

async function readStored(file: string): Promise<Stored> {
  const bytes = await readFile(file)
  const length = Number(bytes.readBigUInt64LE())
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Stored['header']
  delete header.__metadata__
  return { header, data: new Uint8Array(bytes.subarray(8 + length)) }
}

async function writeStored(file: string, { header, data }: Stored): Promise<void> {
  const text = Buffer.from(JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(text.length))
  await writeFile(file, Buffer.concat([size, text, data]))
}

/** What opening says of a golden model after its configuration or its tensors are changed. */
async function refusal(name: string, changes: { config?: Record<string, unknown>; tensors?: (stored: Stored) => void }): Promise<AppError> {
  return withFolder(async (folder) => {
    const config = JSON.parse(await readFile(path.join(goldens, name, 'config.json'), 'utf8')) as Record<string, unknown>
    await writeFile(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...changes.config }))
    const stored = await readStored(path.join(goldens, name, 'model.safetensors'))
    changes.tensors?.(stored)
    await writeStored(path.join(folder, 'model.safetensors'), stored)
    try {
      const model = await openDecoder(folder, silent)
      try {
        for (const layer of model.layers) await model.readWeight(layer.name)
        for (let block = 0; block < model.spec.blocks; block++) await model.readExtras(block)
      } finally {
        await model.close()
      }
    } catch (error) {
      if (error instanceof AppError) return error
      throw error
    }
    throw new Error('the model was accepted')
  })
}

describe('openDecoder refuses', () => {
  it.each([
    ['an unknown architecture', 'llama', { model_type: 'mamba' }, 'unsupported-architecture', /model_type: found "mamba", expected one of llama, mistral, qwen2, .*bloom/],
    ['a mixture of experts', 'llama', { num_local_experts: 8 }, 'unsupported-architecture', /num_local_experts: found 8, expected none: a mixture of experts is not supported/],
    ['cross attention', 'gpt2', { add_cross_attention: true }, 'unsupported-architecture', /cross attention/],
    ['project_in', 'opt', { word_embed_proj_dim: 16 }, 'unsupported-architecture', /word_embed_proj_dim: found 16, expected hidden_size \(32\)/],
    ['a residual after the norm', 'bloom', { apply_residual_connection_post_layernorm: true }, 'unsupported-architecture', /a residual taken after the norm/],
    ['an unknown rotary scaling', 'llama', { rope_scaling: { rope_type: 'spiral', factor: 2 } }, 'file-malformed', /rope_scaling: rope_type: found "spiral", expected one of default, linear/],
    ['an unknown activation', 'llama', { hidden_act: 'mish' }, 'file-malformed', /hidden_act: found "mish", expected one of silu/],
    ['another kind of attention', 'gemma3', { layer_types: ['linear_attention', 'full_attention', 'full_attention'] }, 'unsupported-architecture', /layer_types: found "linear_attention"/],
    ['kinds of too few blocks', 'gemma3', { layer_types: ['full_attention'] }, 'file-malformed', /attention kinds of 1 blocks, expected 3/],
    ['heads that do not fit', 'llama', { num_key_value_heads: 3 }, 'file-malformed', /4 attention heads and 3 key\/value heads/],
    ['a missing number', 'llama', { hidden_size: null }, 'file-malformed', /hidden_size: found nothing, expected a whole number/],
    ['a hostile number', 'llama', { num_hidden_layers: 1e9 }, 'file-malformed', /num_hidden_layers: found 1000000000, expected a whole number from 1 to 1024/],
    ['rotary factors of the wrong length', 'phi3', { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1, 2] } }, 'file-malformed', /rotary factors for 0 frequencies, expected 4/],
    ['a configuration of another size', 'llama', { intermediate_size: 64 }, 'file-malformed', /tensor model\.layers\.0\.mlp\.gate_proj\.weight: found shape \[48, 32\], expected \[64, 32\]/],
    ['missing blocks', 'llama', { num_hidden_layers: 3 }, 'file-malformed', /found no tensor model\.layers\.2\.self_attn\.q_proj\.weight.* and 5 more/],
    ['blocks the configuration does not know', 'llama', { num_hidden_layers: 1 }, 'unsupported-tensor', /found tensor model\.layers\.1\./],
    ['a missing head', 'smollm', { tie_word_embeddings: false }, 'file-malformed', /found no tensor lm_head\.weight/],
  ])('%s', async (_, name, config, code, message) => {
    const error = await refusal(name, { config })
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
    expect(error.hint).toBeTruthy()
  })

  it('a tensor it does not know', async () => {
    const error = await refusal('llama', {
      tensors({ header }) {
        const norm = header['model.norm.weight']
        if (norm) header['model.layers.0.adapter.weight'] = { ...norm, shape: [0], data_offsets: [norm.data_offsets[1], norm.data_offsets[1]] }
      },
    })
    expect(error.message).toMatch(/found tensor model\.layers\.0\.adapter\.weight/)
    expect(error.code).toBe('unsupported-tensor')
  })

  it.each([['NaN', 0x7e00], ['-Infinity', 0xfc00]])('%s in a weight, naming the tensor', async (value, bits) => {
    const error = await refusal('phi3', {
      tensors({ header, data }) {
        const [start] = header['model.layers.1.self_attn.qkv_proj.weight']?.data_offsets ?? [0]
        new DataView(data.buffer, data.byteOffset).setUint16(start + 2 * (32 * 32 + 5), bits, true) // in k, whose rows follow 32 of q
      },
    })
    expect(error.message).toMatch(new RegExp(`model\\.layers\\.1\\.self_attn\\.qkv_proj\\.weight: found ${value} at element 5, expected finite`))
    expect(error.code).toBe('bad-weights')
  })

  it('an unknown GGUF architecture', async () => {
    await withFolder(async (folder) => {
      const bytes = await readFile(path.join(goldens, 'qwen3', 'model.gguf'))
      const at = bytes.indexOf('qwen3', bytes.indexOf('general.architecture'))
      bytes.write('falco', at)
      await writeFile(path.join(folder, 'model.gguf'), bytes)
      await expect(openDecoder(path.join(folder, 'model.gguf'), silent)).rejects.toThrow(/general\.architecture: found "falco", expected one of llama, qwen2/)
    })
  })
})

describe('layers', () => {
  it('are those of the computation, with their inputs and ties', async () => {
    const model = await openDecoder(path.join(goldens, 'phi3'), silent)
    expect(model.layers.map(({ name }) => name)).toEqual([
      'embedding', ...[0, 1].flatMap((block) => ['q', 'k', 'v', 'o', 'gate', 'up', 'down'].map((layer) => `blocks.${block}.${layer}`)), 'head',
    ])
    expect(model.layers.find(({ name }) => name === 'blocks.1.k')).toEqual({ name: 'blocks.1.k', kind: 'matmul', shape: [16, 32], block: 1, ties: 'blocks.1.qkv', input: 'blocks.1.qkv' })
    expect(model.layers.find(({ name }) => name === 'blocks.1.up')).toMatchObject({ ties: 'blocks.1.gateup', input: 'blocks.1.mlp' })
    expect(model.layers.find(({ name }) => name === 'blocks.0.down')).toMatchObject({ ties: null, input: 'blocks.0.down', shape: [32, 48] })
    await model.close()
  })

  it('of a tied model are one table', async () => {
    const model = await openDecoder(path.join(goldens, 'gpt2'), silent)
    expect(model.layers.filter(({ block }) => block === null)).toEqual([{ name: 'embedding', kind: 'embedding', shape: [96, 32], block: null, ties: null, input: 'head' }])
    await model.close()
  })
})

describe('inspectDecoder', () => {
  it('says what each tensor holds', async () => {
    const summary = await inspectDecoder(path.join(goldens, 'gpt2'), silent)
    expect(summary).toMatchObject({ format: 'safetensors', architecture: 'gpt2', blocks: 2, contextLength: 32, vocabulary: 96, name: 'gpt2', warnings: [] })
    const tensor = (name: string) => summary.tensors.find((one) => one.name === name)
    expect(tensor('h.1.attn.c_attn.weight')).toEqual({ name: 'h.1.attn.c_attn.weight', type: 'F16', shape: [32, 96], bytes: 6144, layers: ['blocks.1.q', 'blocks.1.k', 'blocks.1.v'], reason: null })
    expect(tensor('wte.weight')?.layers).toEqual(['embedding'])
    expect(tensor('ln_f.bias')?.reason).toMatch(/norms/)
    expect(tensor('h.0.mlp.c_fc.bias')?.reason).toMatch(/biases/)
    expect(tensor('h.0.attn.bias')?.reason).toMatch(/holds no weights/)
    expect(summary.parameters).toBe(29568 + 2 * 32 * 32)
  })

  it('warns of what GGUF cannot hold', async () => {
    expect((await inspectDecoder(path.join(goldens, 'opt'), silent)).warnings[0]).toMatch(/llama\.cpp has no OPT/)
    expect((await inspectDecoder(path.join(goldens, 'mistral'), silent)).warnings[0]).toMatch(/sliding window/)
    expect((await inspectDecoder(path.join(goldens, 'phi3'), silent)).warnings).toEqual([expect.stringMatching(/^llama\.cpp attends beyond this model's sliding window of 9 positions/)])
    await withFolder(async (folder) => {
      await copyFile(path.join(goldens, 'gemma2', 'scale.json'), path.join(folder, 'config.json'))
      await copyFile(path.join(goldens, 'gemma2', 'model.safetensors'), path.join(folder, 'model.safetensors'))
      expect((await inspectDecoder(folder, silent)).warnings[0]).toMatch(/query scale of 0\.3780 \(llama\.cpp takes 0\.2887\)/)
    })
  })
})
