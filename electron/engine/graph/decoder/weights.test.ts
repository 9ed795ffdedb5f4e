import { describe, expect, it } from 'vitest'
import type { TensorInfo } from '../../io/checkpoint.ts'
import { families } from './families.ts'
import { readFields } from './fields.ts'
import { asStored, placements, rowRange, storedShape } from './weights.ts'

const config = { n_embd: 8, n_head: 2, n_layer: 1, n_positions: 16, vocab_size: 10 }

function tensor(name: string, type: TensorInfo['type'], shape: readonly number[]): TensorInfo {
  return { name, type, shape, file: 'x', offset: 0, byteLength: 0 }
}

describe('places of GPT-2', () => {
  const family = families.gpt2
  const spec = family?.fromConfig(readFields(config, 'config.json'))
  const places = family && spec ? placements(spec, family.names, 'transformer.') : new Map<string, never>()
  const key = places.get('blocks.0.k')

  it('name the fused tensor, its part and its transposed shape', () => {
    expect(key).toMatchObject({ tensor: 'transformer.h.0.attn.c_attn.weight', shape: [8, 8] })
    expect(key && storedShape(key)).toEqual([8, 24])
    expect(key && rowRange(key)).toEqual([8, 16])
    expect(places.get('blocks.0.v.bias')).toMatchObject({ tensor: 'transformer.h.0.attn.c_attn.bias', index: 2 })
  })

  it('are not transposed where the layer is packed', () => {
    const packed = asStored(places, new Map([['transformer.h.0.attn.c_attn.weight', tensor('', 'int4-g32', [24, 8])], ['transformer.h.0.mlp.c_fc.weight', tensor('', 'F16', [8, 32])]]))
    const value = packed.get('blocks.0.k')
    const up = packed.get('blocks.0.up')
    expect(value && storedShape(value)).toEqual([24, 8])
    expect(up && storedShape(up)).toEqual([8, 32])
  })
})

describe('places of BLOOM', () => {
  it('keep the heads of q, k and v together in Hugging Face and apart in GGUF', () => {
    const family = families.bloom
    const spec = family?.fromConfig(readFields({ hidden_size: 12, n_head: 3, n_layer: 1, vocab_size: 5, model_type: 'bloom' }, 'config.json'))
    const order = (gguf: boolean) => family && spec && placements(spec, gguf ? family.ggufNames : family.names, '').get('blocks.0.v')?.source.part?.order
    expect([order(false), order(true)]).toEqual(['by-head', 'stacked'])
  })
})
