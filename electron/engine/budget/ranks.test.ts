import { describe, expect, test } from 'vitest'
import type { Plan, PlanInput } from '../../contract/engine.ts'
import { optionName, parseOption } from '../../contract/options.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { adapterBytes } from '../correct/adapter-storage.ts'
import { plan } from './plan.ts'
import { targetLayers } from './target-layers.ts'

const shape: readonly [number, number] = [1024, 2048]
const elements = 1024 * 2048
const bits: Readonly<Record<string, number>> = { Q2_K: 2.625, Q3_K: 3.4375, Q4_K: 4.5 }
const ranks = [4, 16]

/** A layer whose loss falls fourfold a bit; a branch of rank 4 leaves `left` of it, one of rank 16 the square. */
function layer(name: string, loss: number, left: number): Sensitivity['layers'][number] {
  const options = Object.fromEntries(Object.entries(bits).flatMap(([codec, width]) => [0, ...ranks].map((rank) =>
    [optionName({ codec, rank }), { bytes: 0, value: loss * 4 ** (2.625 - width) * left ** ranks.filter((one) => one <= rank).length, stderr: 0 }] as const)))
  return { name, kind: 'matmul', shape: [...shape], elements, block: 0, ties: null, excluded: {}, options }
}

const head: Sensitivity['layers'][number] = {
  name: 'embedding', kind: 'embedding', shape: [...shape], elements, block: null, ties: null, excluded: {}, options: Object.fromEntries(Object.keys(bits).map((codec) => [codec, { bytes: 0, value: 1, stderr: 0 }])),
}

/** Corrections buy much in the first layer and nothing in the second. */
const measured: Sensitivity = {
  version: 1, tool: 'test', model: { path: 'm', sha256: 'aa' }, data: { path: 'd', sha256: 'bb', tokens: 2048, samples: 4 }, metric: 'layer-output', rounder: 'gptq', correction: 'eora', complete: true,
  layers: [head, layer('blocks.0.q', 10, 0.2), layer('blocks.0.down', 10, 1)],
}

function run(changes: Partial<PlanInput>): Promise<Plan> {
  const input: PlanInput = { model: 'model', measured, target: 'gguf', budget: { kind: 'bits', value: 3.2 }, correction: 'eora', ...changes }
  return plan(input, { tool: 'halftone test', elements: 3 * elements, fixedBytes: () => 1000, predict: () => ({ peakMemoryBytes: 1, elapsedMs: 1 }) }, { signal: new AbortController().signal })
}

const choiceOf = ({ recipe }: Plan, name: string): Plan['recipe']['choice'][number] | undefined => recipe.choice.find((one) => one.name === name)

test('names of options with a rank', () => {
  expect(parseOption('Q2_K+r8')).toEqual({ codec: 'Q2_K', rank: 8 })
  expect(parseOption('int4-g64-sym')).toEqual({ codec: 'int4-g64-sym', rank: 0 })
  for (const odd of ['Q2_K+r0', 'Q2_K+r', 'Q2_K+r-1', '+r8', 'Q2_K+r8x']) expect(parseOption(odd)).toEqual({ codec: odd, rank: 0 })
  expect(optionName({ codec: 'Q2_K', rank: 8 })).toBe('Q2_K+r8')
  expect(optionName({ codec: 'Q2_K', rank: 0 })).toBe('Q2_K')
})

describe('a plan', () => {
  test('buys rank where it takes off more than bits do, and counts its bytes', async () => {
    const made = await run({})
    expect(choiceOf(made, 'blocks.0.q')?.rank).toBe(16)
    expect(choiceOf(made, 'blocks.0.down')?.rank).toBe(0)
    expect(choiceOf(made, 'embedding')?.rank).toBe(0)
    const q = choiceOf(made, 'blocks.0.q')
    expect(q?.bytes).toBe((elements * (bits[q?.option ?? ''] ?? NaN)) / 8 + 16 * (1024 + 2048) * 2)
    expect(made.recipe.predicted.sizeBytes).toBe(1000 + made.recipe.choice.reduce((sum, { bytes }) => sum + bytes, 0))
    expect(made.recipe.predicted.sizeBytes).toBeLessThanOrEqual((3.2 * 3 * elements) / 8)
    expect(made.recipe).toMatchObject({ correction: 'eora', adapterStorage: 'float16' })
    expect(made.recipe.predicted.loss).toBeLessThan((await run({ correction: 'none' })).recipe.predicted.loss)
  })

  test('has no ranks without a correction, and no baselines with one', async () => {
    const made = await run({ correction: 'none' })
    expect(made.recipe.choice.map(({ rank }) => rank)).toEqual([0, 0, 0])
    expect(made.recipe.adapterStorage).toBeUndefined()
    expect((await run({})).uniform.map(({ option }) => option)).toEqual(['Q2_K', 'Q3_K', 'Q4_K', 'F16'])
    expect((await run({})).warnings).toEqual([])
  })

  test('takes one rank everywhere where only one is allowed', async () => {
    const made = await run({ ranks: [4] })
    expect(made.recipe.choice.map(({ rank }) => rank)).toEqual([0, 4, 4])
  })

  test('pins a format with its rank', async () => {
    const made = await run({ pins: { 'blocks.0.down': 'Q2_K+r4' } })
    expect(choiceOf(made, 'blocks.0.down')).toMatchObject({ option: 'Q2_K', rank: 4 })
  })
})

test('a narrow format with a branch keeps its own loss beside a smaller wide one', () => {
  const { layers } = targetLayers(measured, 'gguf', { allows: () => true, storage: 'float16' })
  const down = layers.find(({ name }) => name === 'blocks.0.down')
  // Q2_K with rank 16 takes fewer bytes than Q3_K and loses more; with a larger rank it would take more and still lose more.
  expect(down?.options.get('Q2_K+r16')?.value).toBeCloseTo(10, 12)
  expect(down?.options.get('Q3_K')?.value).toBeCloseTo(10 * 4 ** (2.625 - 3.4375), 12)
})

test('bytes of a branch by target and storage', () => {
  expect(adapterBytes('gguf', 'float16', 16, [100, 64])).toBe(16 * 164 * 2)
  expect(adapterBytes('gguf', 'int8', 16, [100, 64])).toBe((16 * 64 * 34) / 32 + 16 * 100 * 2) // rows of B are shorter than a block of Q8_0
  expect(adapterBytes('gguf', 'int8', 32, [100, 64])).toBe((32 * 164 * 34) / 32)
  expect(adapterBytes('onnx', 'int8', 16, [100, 64])).toBe(16 * 164 + 16 * 2 * 2)
  expect(adapterBytes('safetensors', 'float16', 0, [100, 64])).toBe(0)
  expect(() => adapterBytes('safetensors', 'int8', 4, [100, 64])).toThrow('a PEFT folder cannot hold int8 adapters')
  // Rank 16 on every linear layer of a model of 7 billion weights (LLaMA-2-7B's shapes): 0.099 bits a weight.
  const shapes: readonly (readonly [number, number])[] = [[4096, 4096], [4096, 4096], [4096, 4096], [4096, 4096], [11_008, 4096], [11_008, 4096], [4096, 11_008]]
  const bytes = shapes.reduce((sum, one) => sum + adapterBytes('gguf', 'float16', 16, one), 0)
  expect((8 * bytes) / shapes.reduce((sum, [rows, cols]) => sum + rows * cols, 0)).toBeCloseTo(0.099, 3)
})
