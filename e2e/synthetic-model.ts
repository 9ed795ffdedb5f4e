/**
 * @file Writes a Llama-shaped model with random weights: large models for memory benches, without a download. Normal weights of
 * standard deviation 0.02 in float16, streamed piece by piece.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { kernels } from '../kernels/kernels.ts'
import { writeSafetensors, type SafetensorsTensor } from '../electron/engine/io/safetensors-writer.ts'

export interface SyntheticShape {
  readonly blocks: number
  readonly hidden: number
  readonly intermediate: number
  readonly heads: number
  readonly kvHeads: number
  readonly vocabulary: number
}

/** TinyLlama's shape: 1.1 billion weights. */
export const billion: SyntheticShape = { blocks: 22, hidden: 2048, intermediate: 5632, heads: 32, kvHeads: 4, vocabulary: 32_000 }

/** Different float16 numbers; tensors are cut from this pool at pseudo-random places. */
const poolSize = 1 << 22
/** Numbers written at once. */
const pieceSize = 1 << 18

/** A pool of normal float16 numbers, the same every time. */
async function normalPool(deviation: number): Promise<Uint8Array> {
  let state = 0x9e3779b9
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 1) / 4294967297
  }
  const cols = poolSize + pieceSize
  const values = Float32Array.from({ length: cols }, () => deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()))
  const pool = new Uint8Array(cols * 2)
  await kernels().encode('F16', { rows: 1, cols }, values, null, 'nearest', pool)
  return pool
}

function* pieces(name: string, count: number, pool: Uint8Array): Generator<Uint8Array> {
  let place = createHash('sha256').update(name).digest().readUInt32LE(0)
  for (let done = 0; done < count; done += pieceSize) {
    place = (Math.imul(place, 1103515245) + 12345) >>> 0
    const first = place % poolSize
    yield pool.subarray(first * 2, (first + Math.min(pieceSize, count - done)) * 2)
  }
}

/** Writes the model to `folder` with the tokenizer of `tokenizerFolder` (which may have fewer tokens than the vocabulary). */
export async function writeSyntheticModel(folder: string, shape: SyntheticShape, tokenizerFolder: string): Promise<void> {
  const { blocks, hidden, intermediate, heads, kvHeads, vocabulary } = shape
  const keys = (hidden / heads) * kvHeads
  await mkdir(folder, { recursive: true })
  const config = {
    architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: hidden, intermediate_size: intermediate, num_hidden_layers: blocks, num_attention_heads: heads,
    num_key_value_heads: kvHeads, vocab_size: vocabulary, max_position_embeddings: 2048, rms_norm_eps: 1e-5, rope_theta: 10000, hidden_act: 'silu', tie_word_embeddings: false,
  }
  await writeFile(path.join(folder, 'config.json'), JSON.stringify(config))
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) await copyFile(path.join(tokenizerFolder, name), path.join(folder, name))
  const pool = await normalPool(0.02)
  const one = new Uint16Array(hidden).fill(0x3c00)
  const matrix = (name: string, out: number, cols: number): SafetensorsTensor => ({ name, type: 'F16', shape: [out, cols], data: () => pieces(name, out * cols, pool) })
  const norm = (name: string): SafetensorsTensor => ({ name, type: 'F16', shape: [hidden], data: () => [new Uint8Array(one.buffer)] })
  const block = (index: number): SafetensorsTensor[] => {
    const prefix = `model.layers.${index}`
    return [
      norm(`${prefix}.input_layernorm.weight`), matrix(`${prefix}.self_attn.q_proj.weight`, hidden, hidden), matrix(`${prefix}.self_attn.k_proj.weight`, keys, hidden),
      matrix(`${prefix}.self_attn.v_proj.weight`, keys, hidden), matrix(`${prefix}.self_attn.o_proj.weight`, hidden, hidden), norm(`${prefix}.post_attention_layernorm.weight`),
      matrix(`${prefix}.mlp.gate_proj.weight`, intermediate, hidden), matrix(`${prefix}.mlp.up_proj.weight`, intermediate, hidden), matrix(`${prefix}.mlp.down_proj.weight`, hidden, intermediate),
    ]
  }
  const tensors = [
    matrix('model.embed_tokens.weight', vocabulary, hidden), ...Array.from({ length: blocks }, (_, index) => block(index)).flat(), norm('model.norm.weight'),
    matrix('lm_head.weight', vocabulary, hidden),
  ]
  await writeSafetensors(folder, tensors)
}
