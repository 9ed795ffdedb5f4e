import { expect, test } from 'vitest'
import type { Target } from '../../contract/options.ts'
import { optionBytes } from '../budget/option-bytes.ts'
import type { Layer } from '../model.ts'
import { adapterBytes } from './adapter-storage.ts'

/** The linear layers of LLaMA-7B: 32 blocks of width 4096, intermediate 11008. */
const shapes = { q: [4096, 4096], k: [4096, 4096], v: [4096, 4096], o: [4096, 4096], gate: [11008, 4096], up: [11008, 4096], down: [4096, 11008] } as const
const layers = Object.entries(shapes).map(([name, shape]): Layer => ({ name: `blocks.0.${name}`, kind: 'matmul', shape, block: 0, ties: null, input: 'x' }))
const weights = layers.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)

function branchBits(target: Target, storage: 'float16' | 'int8', rank: number, without: readonly string[] = []): number {
  const bytes = layers.filter(({ name }) => !without.some((short) => name.endsWith(short))).reduce((sum, { shape }) => sum + adapterBytes(target, storage, rank, shape), 0)
  return (bytes * 8) / weights
}

test('rank 16 on all linear layers of a 7B model is 0.099 bits a weight, half of it as int8', () => {
  expect(branchBits('gguf', 'float16', 16)).toBeCloseTo(0.0988, 4)
  expect(branchBits('safetensors', 'float16', 16)).toBeCloseTo(0.0988, 4)
  expect(branchBits('onnx', 'int8', 16)).toBeCloseTo(0.0988 / 2, 3)
})

test('"INT2.1" with groups of 128 is 2.30 bits a weight once scales and zero points are counted', () => {
  const base = layers.reduce((sum, layer) => {
    const size = optionBytes('safetensors', layer, 'int2-g128')
    return sum + ('bytes' in size ? size.bytes : NaN)
  }, 0)
  const scales = (base * 8) / weights
  const branches = branchBits('safetensors', 'float16', 32, ['down'])
  expect(scales).toBeCloseTo(2 + (16 + 2) / 128, 1)
  expect(branches).toBeCloseTo(0.159, 3)
  expect(scales + branches).toBeCloseTo(2.3, 1)
})
