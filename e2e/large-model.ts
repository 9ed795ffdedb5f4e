/**
 * @file Writes a model of ten thousand tensors by its header alone: the weights are a hole in the file, which takes no room on
 * the disk. For the screens that have to show so many rows.
 */
import { copyFile, mkdir, open, writeFile } from 'node:fs/promises'
import path from 'node:path'

const tensorsPerBlock = 12
const width = 256
const vocabulary = 8192

/** Writes a Qwen-shaped folder of `blocks` blocks with the tokenizer of `tokenizerFolder`; returns the number of tensors. */
export async function writeLargeModel(folder: string, tokenizerFolder: string, blocks = 834): Promise<number> {
  const shapes: [name: string, shape: number[]][] = [['model.embed_tokens.weight', [vocabulary, width]], ['model.norm.weight', [width]]]
  for (let block = 0; block < blocks; block++) {
    const prefix = `model.layers.${block}`
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) shapes.push([`${prefix}.${norm}.weight`, [width]])
    for (const matrix of ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj', 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj']) shapes.push([`${prefix}.${matrix}.weight`, [width, width]])
    for (const bias of ['q_proj', 'k_proj', 'v_proj']) shapes.push([`${prefix}.self_attn.${bias}.bias`, [width]])
  }
  let end = 0
  const header = JSON.stringify(Object.fromEntries(shapes.map(([name, shape]) => {
    const start = end
    end += 2 * shape.reduce((product, size) => product * size, 1)
    return [name, { dtype: 'F16', shape, data_offsets: [start, end] }]
  })))
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))

  await mkdir(folder, { recursive: true })
  const file = await open(path.join(folder, 'model.safetensors'), 'w')
  await file.write(Buffer.concat([length, padded]))
  await file.truncate(8 + padded.length + end)
  await file.close()
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({
    architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', hidden_size: width, intermediate_size: width, num_hidden_layers: blocks, num_attention_heads: 4, num_key_value_heads: 4,
    vocab_size: vocabulary, max_position_embeddings: 2048, rms_norm_eps: 1e-5, rope_theta: 10000, hidden_act: 'silu', tie_word_embeddings: true,
  }))
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) await copyFile(path.join(tokenizerFolder, name), path.join(folder, name))
  return 2 + tensorsPerBlock * blocks
}
