import { expect, test } from 'vitest'
import type { PlanInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { plan, type PlanDependencies } from './plan.ts'

const names = ['Q2_K', 'Q3_K', 'Q4_K', 'Q6_K', 'Q8_0', 'Q4_0', 'int4-g64', 'int8-g64'] as const
const bits: Record<string, number> = { Q2_K: 2.625, Q3_K: 3.4375, Q4_K: 4.5, Q6_K: 6.5625, Q8_0: 8.5, Q4_0: 4.5, 'int4-g64': 4.3125, 'int8-g64': 8.375 }

/** A layer of 256 rows whose loss falls fourfold a bit from `loss` at 2.625 bits. */
function layer(name: string, loss: number, more: Partial<Sensitivity['layers'][number]> = {}): Sensitivity['layers'][number] {
  const options = Object.fromEntries(names.map((option) => [option, { bytes: 0, value: loss * 4 ** (2.625 - bits[option]), stderr: 0 }]))
  return { name, kind: 'matmul', shape: [256, 512], elements: 256 * 512, block: 0, ties: null, excluded: {}, options, ...more }
}

function sensitivity(layers: Sensitivity['layers']): Sensitivity {
  return {
    version: 1, tool: 'test', model: { path: 'm', sha256: 'aa' }, data: { path: 'd', sha256: 'bb', tokens: 2048, samples: 4 },
    metric: 'layer-output', rounder: 'search', complete: true, layers,
  }
}

const layers = [layer('blocks.0.q', 1), layer('blocks.0.k', 8), layer('blocks.0.v', 2000), layer('head', 100, { shape: [1024, 512], elements: 1024 * 512, block: null })]
const elements = 1_000_000
const dependencies: PlanDependencies = { tool: 'halftone test', elements, fixedBytes: () => 5000, predict: (choice) => ({ peakMemoryBytes: choice.length, elapsedMs: 7 }) }

function run(changes: Partial<PlanInput> = {}, other: Partial<PlanDependencies> = {}): ReturnType<typeof plan> {
  const input: PlanInput = { model: 'model', measured: sensitivity(layers), target: 'gguf', budget: { kind: 'bits', value: 3.7 }, ...changes }
  return plan(input, { ...dependencies, ...other }, { signal: new AbortController().signal })
}

async function failure(running: Promise<unknown>): Promise<AppError> {
  const cause = await running.then(() => null, (thrown: unknown) => thrown)
  if (cause instanceof AppError) return cause
  throw new Error('no AppError', { cause })
}

test('a recipe within the budget, everything counted, that says what it was made from', async () => {
  const { recipe } = await run()
  expect(recipe.predicted.sizeBytes).toBe(5000 + recipe.choice.reduce((sum, { bytes }) => sum + bytes, 0))
  expect(recipe.predicted.sizeBytes).toBeLessThanOrEqual(462_500) // 3.7 bits x 1e6 / 8
  expect(recipe.predicted.bitsPerWeight).toBeCloseTo((8 * recipe.predicted.sizeBytes) / 1e6, 12)
  expect(recipe.predicted).toMatchObject({ peakMemoryBytes: 4, elapsedMs: 7 })
  expect(recipe.data).toEqual({ path: 'd', sha256: 'bb', samples: 4, length: 512 })
  expect(recipe).toMatchObject({ model: { path: 'model', sha256: 'aa' }, rounder: 'search', metric: 'layer-output', target: 'gguf', tool: 'halftone test' })
  expect(recipe.choice.map(({ name }) => name)).toEqual(['blocks.0.q', 'blocks.0.k', 'blocks.0.v', 'head'])
  const blockBytes: Record<string, number> = { Q2_K: 84, Q3_K: 110, Q4_K: 144, Q6_K: 210, Q8_0: 272, Q4_0: 144, F16: 512 }
  for (const { name, option, bytes } of recipe.choice) expect(bytes).toBe((name === 'head' ? 2048 : 512) * blockBytes[option])
})

test('the curve grows in bytes, falls in loss, and holds the chosen point; a mixed plan beats the uniform one of its size', async () => {
  const { curve, uniform, recipe } = await run()
  for (let at = 1; at < curve.length; at++) {
    expect(curve[at].bytes).toBeGreaterThan(curve[at - 1].bytes)
    expect(curve[at].loss).toBeLessThan(curve[at - 1].loss)
  }
  expect(curve).toContainEqual({ bytes: recipe.predicted.sizeBytes, bitsPerWeight: recipe.predicted.bitsPerWeight, loss: recipe.predicted.loss })
  expect(uniform.map(({ option }) => option)).toEqual(['Q2_K', 'Q3_K', 'Q4_K', 'Q4_0', 'Q6_K', 'Q8_0', 'F16'])
  const q3 = uniform[1]
  expect(q3.bytes).toBe(5000 + 7 * 512 * 110)
  const better = await run({ budget: { kind: 'bytes', value: q3.bytes } })
  expect(better.recipe.predicted.loss).toBeLessThan(q3.loss)
})

test('every allocator stays within the budget and none beats the exact one', async () => {
  const exact = await run()
  for (const allocator of ['milp', 'greedy', 'monotone'] as const) {
    const other = await run({ allocator })
    expect(other.recipe.predicted.sizeBytes).toBeLessThanOrEqual(462_500)
    expect(other.recipe.predicted.loss).toBeGreaterThanOrEqual(exact.recipe.predicted.loss - 1e-12)
    if (allocator === 'milp') expect(other.recipe.predicted.loss).toBeCloseTo(exact.recipe.predicted.loss, 9)
  }
})

test('each target chooses among its own options, at its own bytes', async () => {
  const { recipe, uniform } = await run({ target: 'onnx', budget: { kind: 'bits', value: 5 } })
  expect(uniform.map(({ option }) => option)).toEqual(['int4-g64', 'int8-g64', 'F16'])
  for (const { option } of recipe.choice) expect(['int4-g64', 'int8-g64', 'F16']).toContain(option)
  const q = recipe.choice[0]
  expect(q).toMatchObject({ option: 'int4-g64', bytes: 256 * (256 + 16 + 4) }) // codes, 8 fp16 scales, 8 nibbles a row
})

test('ties and pins: tied layers share, a pin holds, patterns work and what is unpinned is solved around them', async () => {
  const tied = layers.map((held) => (held.name.startsWith('blocks') ? { ...held, ties: 'blocks.0.qkv' } : held))
  const { recipe } = await run({ measured: sensitivity(tied) })
  expect(new Set(recipe.choice.slice(0, 3).map(({ option }) => option)).size).toBe(1)
  const pinned = await run({ measured: sensitivity(tied), pins: { 'blocks.0.k': 'Q6_K' }, budget: { kind: 'bits', value: 4.5 } })
  expect(pinned.recipe.choice.slice(0, 3).map(({ option }) => option)).toEqual(['Q6_K', 'Q6_K', 'Q6_K'])
  expect(pinned.warnings.join()).toContain('blocks.0.q, blocks.0.v share their option with a pinned layer')
  const pattern = await run({ pins: { 'blocks.*': 'Q3_K', 'blocks.0.k': 'Q2_K' } })
  expect(pattern.recipe.choice.slice(0, 3).map(({ option }) => option)).toEqual(['Q3_K', 'Q2_K', 'Q3_K'])
  expect(pattern.recipe.pins).toEqual({ 'blocks.*': 'Q3_K', 'blocks.0.k': 'Q2_K' })
})

test('pins that cannot be', async () => {
  expect(await failure(run({ pins: { 'blocks.9.q': 'Q4_K' } }))).toMatchObject({ code: 'bad-recipe', message: 'Pin blocks.9.q=Q4_K: no layer has this name' })
  expect(await failure(run({ pins: { head: 'Q5_K' } }))).toMatchObject({ code: 'bad-recipe', message: 'Pin head=Q5_K: Q5_K was not measured' })
  const tied = sensitivity(layers.map((held) => ({ ...held, ties: held.block === null ? null : 'qkv' })))
  expect((await failure(run({ measured: tied, pins: { 'blocks.0.q': 'Q4_K', 'blocks.0.v': 'Q6_K' } }))).message).toContain('pinned to Q4_K and Q6_K')
})

test('an impossible budget names the smallest size and the pins that hold it up', async () => {
  const smallest = 5000 + 7 * 512 * 84
  const plain = await failure(run({ budget: { kind: 'bits', value: 2 } }))
  expect(plain).toMatchObject({ code: 'budget-impossible', details: { smallestBytes: smallest, pins: [] } })
  expect(plain.message).toBe(`Budget 2bpw (250000 bytes): the smallest possible file is ${smallest} bytes (${((8 * smallest) / 1e6).toFixed(3)} bits per weight)`)
  const held = await failure(run({ budget: { kind: 'bits', value: 2.6 }, pins: { head: 'Q8_0', 'blocks.0.q': 'Q2_K' } }))
  expect(held.hint).toContain(`head=Q8_0 (${2048 * (272 - 84)} bytes more than Q2_K)`)
  expect(held.hint).not.toContain('blocks.0.q')
  await expect(run({ budget: { kind: 'bytes', value: smallest } })).resolves.toMatchObject({ recipe: { predicted: { sizeBytes: smallest } } })
  await expect(run({ budget: { kind: 'bytes', value: smallest - 1 } })).rejects.toMatchObject({ code: 'budget-impossible' })
})

test('a file that comes out larger than its parts is solved again until it fits', async () => {
  const sizes: number[] = []
  const fileBytes: PlanDependencies['fileBytes'] = (_, choice) => {
    const size = 5000 + choice.reduce((sum, { bytes }) => sum + bytes, 0) + 900 * choice.length
    sizes.push(size)
    return size
  }
  const budget = 5000 + 7 * 512 * 84 + 4000
  const { recipe } = await run({ budget: { kind: 'bytes', value: budget } }, { fileBytes })
  expect(recipe.predicted.sizeBytes).toBe(sizes.at(-1))
  expect(recipe.predicted.sizeBytes).toBeLessThanOrEqual(budget)
})

test('a file whose overhead turns out smaller lets the plan use what is left', async () => {
  const budget = 5000 + 7 * 512 * 84 + 512 * (110 - 84) // one small layer more in Q3_K, if nothing else costs
  const fileBytes: PlanDependencies['fileBytes'] = (_, choice) => 4000 + choice.reduce((sum, { bytes }) => sum + bytes, 0)
  const tight = await run({ budget: { kind: 'bytes', value: budget - 1000 } })
  const { recipe } = await run({ budget: { kind: 'bytes', value: budget - 1000 } }, { fileBytes })
  expect(tight.recipe.choice.every(({ option }) => option === 'Q2_K')).toBe(true)
  expect(recipe.choice.map(({ option }) => option)).toEqual(['Q2_K', 'Q2_K', 'Q3_K', 'Q2_K'])
  expect(recipe.predicted.sizeBytes).toBe(budget - 1000)
  const smallest = 4000 + 7 * 512 * 84
  await expect(run({ budget: { kind: 'bytes', value: smallest } }, { fileBytes })).resolves.toMatchObject({ recipe: { predicted: { sizeBytes: smallest } } })
  await expect(run({ budget: { kind: 'bytes', value: smallest - 1 } }, { fileBytes })).rejects.toMatchObject({ details: { smallestBytes: smallest } })
})

test('limits on bit operations and milliseconds hold together with the size', async () => {
  const milliseconds = ({ elements }: { elements: number }, option: string): number => (option === 'F16' ? 2 : 1) * elements * 1e-6
  const bops = 7 * 131_072 * 16 * 3
  const limited = await run({ budget: { kind: 'bits', value: 8 }, limits: { bops, ms: 2 } }, { milliseconds })
  const used = limited.recipe.choice.reduce((sum, { name, option }) => sum + (name === 'head' ? 4 : 1) * 131_072 * 16 * Number(/\d/.exec(option)?.[0]), 0)
  expect(used).toBeLessThanOrEqual(bops)
  expect(limited.recipe.predicted.loss).toBeGreaterThan((await run({ budget: { kind: 'bits', value: 8 } })).recipe.predicted.loss)
  const least = 7 * 131_072 * 16 * 2
  const impossible = await failure(run({ limits: { bops: 1 } }))
  expect(impossible).toMatchObject({ code: 'budget-impossible', message: `Limit bops <= 1: the least possible is ${least.toPrecision(4)}` })
  expect(impossible.hint).toContain(`the budget needs ${5000 + 7 * 512 * 84} bytes`)
  const together = await failure(run({ budget: { kind: 'bytes', value: 5000 + 7 * 512 * 90 }, limits: { bops: 1.01 * least, ms: 1 } }, { milliseconds: (_, option) => (option === 'Q2_K' ? 0.3 : 0.1) }))
  expect(together).toMatchObject({ code: 'budget-impossible', message: expect.stringContaining('no choice meets them together') as string })
  expect(await failure(run({ limits: { ms: 1 } }))).toMatchObject({ code: 'bad-request' })
})

test('under two limits at once the choice is the best of all there are', async () => {
  const tries = ['Q2_K', 'Q3_K', 'Q4_K', 'Q6_K', 'Q8_0', 'F16'] as const
  const digit: Record<string, number> = { Q2_K: 2, Q3_K: 3, Q4_K: 4, Q6_K: 6, Q8_0: 8, F16: 16 }
  const bytes: Record<string, number> = { Q2_K: 84, Q3_K: 110, Q4_K: 144, Q6_K: 210, Q8_0: 272, F16: 512 }
  for (const [budget, bopsPerWeight] of [[5.2, 3.4], [6.1, 3.9], [4.2, 5]] as const) {
    const bops = 7 * 131_072 * 16 * bopsPerWeight
    let least = Infinity
    for (const q of tries) for (const k of tries) for (const v of tries) for (const head of tries) {
      const choice = [q, k, v, head]
      const sum = (of: Record<string, number>): number => choice.reduce((total, option, at) => total + (at === 3 ? 4 : 1) * of[option], 0)
      const loss = choice.reduce((total, option, at) => total + (layers[at].options[option]?.value ?? 0), 0)
      if (5000 + 512 * sum(bytes) <= Math.floor(budget * 125_000) && 131_072 * 16 * sum(digit) <= bops) least = Math.min(least, loss)
    }
    const { recipe } = await run({ budget: { kind: 'bits', value: budget }, limits: { bops } })
    expect(recipe.predicted.loss).toBeCloseTo(least, 9)
  }
})

test('MACs differ by rank alone; a table that is only looked up has none', async () => {
  const embedding = layer('embedding', 1, { kind: 'embedding', shape: [1024, 512], elements: 1024 * 512, block: null })
  const macs = 7 * 131_072 // q, k, v and the head
  await expect(run({ measured: sensitivity([...layers, embedding]), budget: { kind: 'bits', value: 8 }, limits: { macs } })).resolves.toBeDefined()
  expect(await failure(run({ measured: sensitivity([...layers, embedding]), budget: { kind: 'bits', value: 8 }, limits: { macs: macs - 1 } }))).toMatchObject({ message: expect.stringContaining('the least possible is') as string })
  const ranked = layers.map((held) => (held.block === null ? held : { ...held, options: { ...held.options, 'Q2_K+r8': { bytes: 0, value: held.options.Q2_K.value / 100, stderr: 0 } } }))
  const rankMacs = 8 * (256 + 512)
  const input = { measured: sensitivity(ranked), correction: 'eora', budget: { kind: 'bytes', value: 5000 + 7 * 512 * 84 + 3 * 2 * rankMacs + 3000 } } as const
  const free = await run(input)
  const limited = await run({ ...input, limits: { macs: macs + 2 * rankMacs } })
  expect(free.recipe.choice.filter(({ rank }) => rank === 8)).toHaveLength(3)
  expect(limited.recipe.choice.filter(({ rank }) => rank === 8)).toHaveLength(2)
})

test('the exponent allocator takes the candidate that measures best, and says so where it cannot measure', async () => {
  const tried: string[] = []
  // What the sum leaves out: a model is as good as its worst layer.
  const measure = (recipe: { choice: readonly { option: string; predictedLoss: number }[] }): Promise<number> => {
    tried.push(recipe.choice.map(({ option }) => option).join())
    return Promise.resolve(Math.max(...recipe.choice.map(({ predictedLoss }) => predictedLoss)))
  }
  const rough = layers.map((held, at) => ({ ...held, options: Object.fromEntries(Object.entries(held.options).map(([name, cost]) => [name, { ...cost, value: cost.value ** [1, 0.8, 0.6, 0.9][at] }])) }))
  const input = { measured: sensitivity(rough), budget: { kind: 'bits', value: 3.9 } } as const
  const { recipe } = await run({ ...input, allocator: 'exponent' }, { measure })
  const exact = await run(input)
  const worst = (choice: readonly { predictedLoss: number }[]): number => Math.max(...choice.map(({ predictedLoss }) => predictedLoss))
  expect(new Set(tried).size).toBeGreaterThan(1)
  expect(worst(recipe.choice)).toBeLessThan(worst(exact.recipe.choice))
  expect(recipe.predicted.sizeBytes).toBeLessThanOrEqual(487_500)
  expect(await failure(run({ allocator: 'exponent' }))).toMatchObject({ code: 'bad-request' })
})

test('layers that cannot take an option are named with the reason and get another', async () => {
  const narrow = layer('blocks.1.q', 3, { shape: [256, 576], elements: 256 * 576 })
  const { recipe, warnings } = await run({ measured: sensitivity([...layers, narrow]) })
  expect(recipe.choice[4].option).toMatch(/^(Q4_0|Q8_0|F16)$/)
  expect(warnings).toContain('blocks.1.q cannot take Q6_K, Q4_K, Q3_K, Q2_K: 576 columns are not a multiple of 256.')
})

test('a layer that takes nothing a finished map measures stays as it is, and nothing is estimated', async () => {
  const narrow = layer('narrow', 1, { shape: [64, 16], elements: 1024, options: {}, excluded: { Q4_K: '16 columns are too few' } })
  const { recipe, warnings } = await run({ measured: sensitivity([...layers, narrow]) })
  expect(recipe.choice[4]).toMatchObject({ option: 'F16', predictedLoss: 0 })
  expect(warnings.join()).not.toMatch(/unfinished|not measured/)
})

test('layers that cannot take an option for columns of their own are told in one sentence', async () => {
  const reason = (columns: number): Record<string, string> => ({ Q6_K: `${columns} columns are not a multiple of 256` })
  const [first, second, ...rest] = layers
  const told = async (columns: readonly number[]): Promise<string[]> =>
    (await run({ measured: sensitivity([first, second].map((layer, at) => ({ ...layer, options: Object.fromEntries(Object.entries(layer.options).filter(([name]) => name !== 'Q6_K')), excluded: reason(columns[at]) })).concat(rest)), budget: { kind: 'bits', value: 16 } })).warnings.filter((text) => text.includes('cannot take Q6_K'))
  expect(await told([64, 96])).toEqual([`${first.name}, ${second.name} cannot take Q6_K: their columns are not a multiple of 256.`])
  expect(await told([64, 64])).toEqual([`${first.name}, ${second.name} cannot take Q6_K: 64 columns are not a multiple of 256.`])
})

test('an unfinished map is planned with estimates that are named; an empty one or one of another target is refused', async () => {
  const { recipe, warnings } = await run({ measured: { ...sensitivity([...layers.slice(0, 3), { ...layers[3], options: {} }]), complete: false } })
  expect(recipe.choice[3].predictedLoss).toBeGreaterThan(0)
  expect(warnings.join()).toContain('the losses of head are estimated')
  expect(await failure(run({ measured: sensitivity(layers.map((held) => ({ ...held, options: {} }))) }))).toMatchObject({ code: 'measurement-mismatch' })
  const onlyGguf = layers.map((held) => ({ ...held, options: { Q4_K: held.options.Q4_K } }))
  expect(await failure(run({ measured: sensitivity(onlyGguf), target: 'onnx' }))).toMatchObject({ code: 'measurement-mismatch', hint: 'Measure again for the target onnx.' })
})

test('a model whose layers fit no format is told why, by its largest layer', async () => {
  const excluded = { Q4_K: '120 columns are not a multiple of 256', Q6_K: '120 columns are not a multiple of 256', Q8_0: '120 columns are not a multiple of 32' }
  expect(await failure(run({ measured: sensitivity(layers.map((held) => ({ ...held, options: {}, excluded }))) }))).toMatchObject({
    code: 'budget-impossible', message: 'No layer of this model can take a narrow format of gguf: of head 120 columns are not a multiple of 256; 120 columns are not a multiple of 32',
  })
})
