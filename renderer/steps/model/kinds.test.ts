import { expect, test } from 'vitest'
import { groupOf, kindOf } from './kinds.ts'

test.each([
  ['model.layers.3.self_attn.q_proj.weight', 'Attention', 'block 3'],
  ['model.layers.3.mlp.down_proj.weight', 'Feed-forward', 'block 3'],
  ['model.layers.3.input_layernorm.weight', 'Norm', 'block 3'],
  ['blk.11.attn_norm.weight', 'Norm', 'block 11'],
  ['blk.11.ffn_gate.weight', 'Feed-forward', 'block 11'],
  ['h.2.attn.c_attn.weight', 'Attention', 'block 2'],
  ['h.2.ln_1.weight', 'Norm', 'block 2'],
  ['model.embed_tokens.weight', 'Embedding and head', 'Embedding and head'],
  ['token_embd.weight', 'Embedding and head', 'Embedding and head'],
  ['stem.conv.weight', 'Convolution', 'Convolution'],
  ['rope_freqs', 'Other', 'Other'],
])('%s is %s in %s', (name, kind, group) => {
  expect([kindOf(name), groupOf(name)]).toEqual([kind, group])
})
