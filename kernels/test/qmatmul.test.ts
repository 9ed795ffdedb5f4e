import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kernels, type NativeSession, type Tensor } from '../kernels.ts'
import { runtime } from '../runtime.ts'
import { float32, floats, model } from './models.ts'
import { addTerm, emptySums, largestError, makeWeight, noise, type Sums, type WeightShape } from './packed-weights.ts'

// Rounding errors of sums of up to 4097 floats, relative to the sum of the terms' magnitudes. One term lost or doubled
// would show as 1/4097 or more.
const tolerance = 1e-5

/** One node of the domain with the weight as inputs. */
function operator(op: string, operands: readonly string[], { cols, bits, group, hasZeros }: WeightShape, attributes: Record<string, number> = {}): Promise<NativeSession> {
  return runtime().createSession(model((b) => {
    const names = operands.map((name) => b.input(name, 'float32', [`${name}0`, `${name}1`, `${name}2`]))
    names.push(b.input('codes', 'uint8', ['N', 'bytes']), b.input('scales', 'float32', ['N', 'groups']))
    if (hasZeros) names.push(b.input('zeros', 'float32', ['N', 'groups']))
    const numbers = Object.entries({ K: cols, bits, group, ...attributes }).map(([name, int]) => [name, { int }] as const)
    b.output(b.one(op, names, Object.fromEntries(numbers), { domain: 'halftone', outputs: ['y'] }), 'float32', ['...'])
  }), { threads: 2 })
}

async function output(session: NativeSession, feeds: Record<string, Tensor>): Promise<Tensor> {
  const { y } = await session.run(feeds, { y: null })
  session.dispose()
  if (!y) throw new Error('no output')
  return y
}

/** [m, n] = x [m, k] · w, with w(k, n) given as a function. */
function product(x: Float32Array, m: number, k: number, n: number, w: (k: number, n: number) => number): Sums {
  const sums = emptySums(m * n)
  for (let i = 0; i < m * n; i++) {
    for (let j = 0; j < k; j++) addTerm(sums, i, (x[Math.floor(i / n) * k + j] ?? NaN) * w(j, i % n))
  }
  return sums
}

const shapes: readonly (readonly [rows: number, cols: number, group: number])[] = [
  [1, 32, 32], [7, 64, 32], [33, 128, 64], [31, 256, 128], [65, 544, 32], // groups
  [1, 1, 0], [2, 3, 0], [3, 7, 0], [31, 33, 0], [17, 100, 0], [5, 4097, 0], [40, 272, 0], // one scale a row, any length
]
const cases = [2, 3, 4, 8].flatMap((bits) => shapes.map(([rows, cols, group], i) => ({ rows, cols, bits, group, hasZeros: (i + bits) % 2 === 0 })))

describe.each(kernels().simdSets())('operators on packed weights (%s)', (set) => {
  beforeAll(() => kernels().setSimd(set))
  afterAll(() => kernels().setSimd('auto'))

  it.each(cases)('QMatMul: $rows x $cols, $bits bits, group $group, zeros $hasZeros', async (shape) => {
    const weight = makeWeight(shape)
    for (const m of [1, 2, 3, 4, 5, 13]) {
      const a = noise(m * shape.cols, m)
      const y = await output(await operator('QMatMul', ['A'], shape), { A: float32([1, m, shape.cols], a), ...weight.inputs })
      expect(y.dims).toEqual([1, m, shape.rows])
      expect(largestError(floats(y), product(a, m, shape.cols, shape.rows, (k, n) => weight.dense[n * shape.cols + k] ?? NaN))).toBeLessThan(tolerance)
    }
  })

  it.each(cases)('its input gradient: $rows x $cols, $bits bits, group $group, zeros $hasZeros', async (shape) => {
    const weight = makeWeight(shape)
    for (const m of [1, 6, 13]) {
      const dy = noise(m * shape.rows, m)
      const dx = await output(await operator('QMatMul', ['dY'], shape, { backward: 1 }), { dY: float32([m, 1, shape.rows], dy), ...weight.inputs })
      expect(dx.dims).toEqual([m, 1, shape.cols])
      expect(largestError(floats(dx), product(dy, m, shape.rows, shape.cols, (n, k) => weight.dense[n * shape.cols + k] ?? NaN))).toBeLessThan(tolerance)
    }
  })

  it.each(cases)('QMatMulScaleGrad: $rows x $cols, $bits bits, group $group, zeros $hasZeros', async (shape) => {
    const { rows, cols, group } = shape
    const weight = makeWeight(shape)
    const m = 9
    const [a, dy] = [noise(m * cols, 5), noise(m * rows, 6)]
    const found = await output(await operator('QMatMulScaleGrad', ['A', 'dY'], shape), { A: float32([1, m, cols], a), dY: float32([1, m, rows], dy), ...weight.inputs })
    const expected = emptySums(rows * weight.groups)
    for (let i = 0; i < rows * cols; i++) {
      const [n, k] = [Math.floor(i / cols), i % cols]
      for (let r = 0; r < m; r++) addTerm(expected, n * weight.groups + Math.floor(k / (group || cols)), (dy[r * rows + n] ?? NaN) * (a[r * cols + k] ?? NaN) * (weight.shifted[i] ?? NaN))
    }
    expect(found.dims).toEqual([rows, weight.groups])
    expect(largestError(floats(found), expected)).toBeLessThan(tolerance)
  })

  it('keeps small activations beside large ones, and says NaN where an input is NaN or infinite', async () => {
    const shape = { rows: 3, cols: 512, bits: 4, group: 64, hasZeros: false }
    const weight = makeWeight(shape)
    const spread = noise(shape.cols, 1).map((value, k) => value * 10 ** (k % 7 - 3))
    const y = await output(await operator('QMatMul', ['A'], shape), { A: float32([1, 1, shape.cols], spread), ...weight.inputs })
    expect(largestError(floats(y), product(spread, 1, shape.cols, shape.rows, (k, n) => weight.dense[n * shape.cols + k] ?? NaN))).toBeLessThan(tolerance)
    const tiny = spread.map((value) => value * 1e-34)
    const faint = await output(await operator('QMatMul', ['A'], shape), { A: float32([1, 1, shape.cols], tiny), ...weight.inputs })
    expect(largestError(floats(faint), product(tiny, 1, shape.cols, shape.rows, (k, n) => weight.dense[n * shape.cols + k] ?? NaN))).toBeLessThan(1e-4)
    for (const value of [NaN, Infinity, -Infinity]) {
      const spoiled = await output(await operator('QMatMul', ['A'], shape), { A: float32([1, 1, shape.cols], spread.with(300, value)), ...weight.inputs })
      expect(floats(spoiled).every((result) => !Number.isFinite(result))).toBe(true)
    }
  })

  it('takes no rows, and no weights', async () => {
    const shape = { rows: 4, cols: 32, bits: 2, group: 0, hasZeros: false }
    const { inputs } = makeWeight(shape)
    expect((await output(await operator('QMatMul', ['A'], shape), { A: float32([2, 0, 32], []), ...inputs })).dims).toEqual([2, 0, 4])
    const none = { codes: { type: 'uint8', dims: [0, 8], data: new Uint8Array(0) }, scales: float32([0, 1], []) } as const
    expect((await output(await operator('QMatMul', ['A'], shape), { A: float32([1, 2, 32], new Float32Array(64)), ...none })).dims).toEqual([1, 2, 0])
    expect(floats(await output(await operator('QMatMul', ['dY'], shape, { backward: 1 }), { dY: float32([1, 2, 0], []), ...none }))).toEqual(new Float32Array(64))
    const grad = await output(await operator('QMatMulScaleGrad', ['A', 'dY'], shape), { A: float32([1, 0, 32], []), dY: float32([1, 0, 4], []), ...inputs })
    expect(floats(grad)).toEqual(new Float32Array(4))
  })
})

describe('what does not fit is refused with what was expected', () => {
  const shape = { rows: 4, cols: 64, bits: 4, group: 32, hasZeros: true }
  const { inputs } = makeWeight(shape)
  const a = float32([1, 1, 64], new Float32Array(64))

  it.each([
    [{ bits: 5 }, 'bits is 5, expected 2, 3, 4 or 8'],
    [{ K: 0 }, 'K is 0, expected a positive number'],
    [{ group: 24 }, 'group is 24, expected 0 or a multiple of 16 that divides K = 64'],
    [{ group: 48 }, 'group is 48, expected 0 or a multiple of 16 that divides K = 64'],
  ])('attributes %o', async (attributes, message) => {
    await expect(operator('QMatMul', ['A'], shape, attributes)).rejects.toThrow(`QMatMul: ${message}`)
  })

  it.each([
    [{ A: float32([1, 1, 63], new Float32Array(63)) }, 'A ends in dimension 63, expected 64'],
    [{ codes: { type: 'uint8', dims: [4, 31], data: new Uint8Array(124) } as const }, 'codes has shape [4, 31], expected [4, 32]'],
    [{ scales: float32([4, 1], new Float32Array(4)) }, 'scales has shape [4, 1], expected [4, 2]'],
    [{ zeros: float32([2, 4], new Float32Array(8)) }, 'zeros has shape [2, 4], expected [4, 2]'],
  ])('inputs (%#)', async (wrong, message) => {
    const session = await operator('QMatMul', ['A'], shape)
    await expect(session.run({ A: a, ...inputs, ...wrong }, { y: null })).rejects.toThrow(message)
  })
})
