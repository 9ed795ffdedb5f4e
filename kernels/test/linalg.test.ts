import { afterEach, describe, expect, it } from 'vitest'
import { kernels } from '../kernels.ts'
import { correlatedInputs, normals } from './random.ts'

const halftone = kernels()
const sizes = [1, 2, 3, 7, 31, 33, 129]
/** Float sums of a few hundred products of values near 1. */
const floatTolerance = 2e-6
/** Factors of matrices with condition numbers near 1e4, computed in double and stored as float. */
const factorTolerance = 2e-6

/** Largest difference relative to the largest value. */
function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length)
  let [difference, scale] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const gap = Math.abs((found[i] ?? NaN) - (expected[i] ?? NaN))
    if (!(gap <= difference)) difference = gap
    scale = Math.max(scale, Math.abs(expected[i] ?? 0))
  }
  return difference / scale
}

function hessianOf(tokens: number, cols: number, seed: number): Float64Array {
  return halftone.reference.gram(correlatedInputs(tokens, cols, seed), tokens, cols)
}

async function gramOf(x: Float32Array, tokens: number, cols: number) {
  const [hessian, absolute, maximum] = [new Float64Array(cols * cols), new Float64Array(cols), new Float32Array(cols)]
  const notFinite = await halftone.accumulate(x, tokens, cols, hessian, absolute, maximum)
  return { hessian, absolute, maximum, notFinite }
}

afterEach(() => {
  halftone.setSimd('auto')
  halftone.setThreads(2)
})

describe.each(halftone.simdSets())('linear algebra, %s', (set) => {
  it.each(sizes)('matmul of size %i equals the definition for all transposes', async (n) => {
    halftone.setSimd(set)
    for (const [m, k] of [[n, n], [n, 300], [19, n]] as const) {
      const [a, b, c] = [normals(m * k, 1), normals(k * n, 2), new Float32Array(m * n)]
      for (const [left, right] of [[false, false], [true, false], [false, true], [true, true]] as const) {
        await halftone.matmul(a, b, m, n, k, left, right, c)
        expect(distance(c, halftone.reference.matmul(a, b, m, n, k, left, right))).toBeLessThan(floatTolerance)
      }
    }
  })

  it.each(sizes)('accumulate over %i columns equals the definition', async (cols) => {
    halftone.setSimd(set)
    const tokens = 600
    const x = correlatedInputs(tokens, cols, cols)
    const { hessian, absolute, maximum, notFinite } = await gramOf(x, tokens, cols)
    expect(notFinite).toBe(0)
    expect(distance(hessian, halftone.reference.gram(x, tokens, cols))).toBeLessThan(floatTolerance)
    const columns = Array.from({ length: cols }, (_, j) => x.filter((_value, index) => index % cols === j).map(Math.abs))
    expect(distance(absolute, columns.map((column) => column.reduce((sum, value) => sum + value, 0)))).toBeLessThan(1e-6)
    expect([...maximum]).toEqual(columns.map((column) => Math.max(...column)))
  })

  it.each(sizes)('cholesky of order %i equals the definition', async (n) => {
    halftone.setSimd(set)
    const matrix = Float32Array.from(hessianOf(4 * n + 8, n, n))
    const expected = halftone.reference.cholesky(Float64Array.from(matrix), n)
    await halftone.cholesky(matrix, n)
    expect(distance(matrix, expected)).toBeLessThan(2e-5)
  })

  it.each(sizes)('inverseFactor of order %i equals the definition', async (n) => {
    halftone.setSimd(set)
    const [hessian, factor] = [hessianOf(4 * n + 8, n, n), new Float32Array(n * n)]
    expect(await halftone.inverseFactor(hessian, n, 0.01, factor)).toBe(0.01)
    expect(distance(factor, halftone.reference.inverseFactor(hessian, n, 0.01))).toBeLessThan(factorTolerance)
  })

  it.each(sizes)('outputError over %i columns equals the definition', async (cols) => {
    halftone.setSimd(set)
    const [a, b, hessian] = [normals(5 * cols, 1), normals(5 * cols, 2), hessianOf(50, cols, cols)]
    const expected = halftone.reference.outputError(a, b, { rows: 5, cols }, hessian)
    expect(Math.abs(await halftone.outputError(a, b, { rows: 5, cols }, hessian) / expected - 1)).toBeLessThan(1e-12)
  })
})

describe('accumulate', () => {
  it('adds to what is there: two calls equal one', async () => {
    const [tokens, cols] = [512, 37]
    const x = correlatedInputs(tokens, cols, 5)
    const whole = await gramOf(x, tokens, cols)
    const parts = await gramOf(x.subarray(0, 256 * cols), 256, cols)
    await halftone.accumulate(x.subarray(256 * cols), 256, cols, parts.hessian, parts.absolute, parts.maximum)
    expect(parts).toEqual(whole)
  })

  it('gives a hessian that is exactly symmetric', async () => {
    const cols = 131
    const { hessian } = await gramOf(correlatedInputs(300, cols, 9), 300, cols)
    for (let i = 0; i < cols; i++) for (let j = 0; j < i; j++) expect(hessian[i * cols + j]).toBe(hessian[j * cols + i])
  })

  it('leaves out rows with values that are not finite, and counts those values', async () => {
    const x = Float32Array.of(1, 2, NaN, 3, 4, -5, Infinity, -Infinity)
    const { hessian, absolute, maximum, notFinite } = await gramOf(x, 4, 2)
    expect(notFinite).toBe(3)
    expect([...hessian]).toEqual([17, -18, -18, 29])
    expect([...absolute]).toEqual([5, 7])
    expect([...maximum]).toEqual([4, 5])
  })

  it('does nothing for no tokens', async () => {
    expect(await gramOf(new Float32Array(0), 0, 2)).toEqual({ hessian: new Float64Array(4), absolute: new Float64Array(2), maximum: new Float32Array(2), notFinite: 0 })
  })

  it('keeps small values beside many large ones: chunks are added in double', async () => {
    const tokens = 256 * 40
    const x = new Float32Array(tokens).fill(0.01)
    x.fill(300, 0, 256)
    const { hessian } = await gramOf(x, tokens, 1)
    expect(Math.abs((hessian[0] ?? 0) - 256 * 300 ** 2 - (tokens - 256) * 1e-4)).toBeLessThan(1e-5)
  })

  it('refuses buffers that are too short', () => {
    expect(() => halftone.accumulate(new Float32Array(5), 3, 2, new Float64Array(4), new Float64Array(2), new Float32Array(2))).toThrow(/x: has 5 elements, needs 6/)
    expect(() => halftone.accumulate(new Float32Array(6), 3, 2.5, new Float64Array(9), new Float64Array(3), new Float32Array(3))).toThrow(/cols: expected a whole number/)
  })
})

describe('inverseFactor', () => {
  it('of a diagonal matrix is one over the roots', async () => {
    const factor = new Float32Array(4)
    await halftone.inverseFactor(Float64Array.of(4, 0, 0, 16), 2, 0, factor)
    expect([...factor]).toEqual([0.5, 0, 0, 0.25])
  })

  it('leaves the given damping where fewer tokens than columns were seen', async () => {
    const n = 129
    const [hessian, factor] = [hessianOf(40, n, 3), new Float32Array(n * n)]
    expect(await halftone.inverseFactor(hessian, n, 0.01, factor)).toBe(0.01)
    expect(distance(factor, halftone.reference.inverseFactor(hessian, n, 0.01))).toBeLessThan(factorTolerance)
  })

  it('raises the damping where the factorization fails', async () => {
    const n = 33
    const [hessian, factor] = [hessianOf(8, n, 3), new Float32Array(n * n)]
    const used = await halftone.inverseFactor(hessian, n, 0, factor)
    expect(used).toBe(1e-4)
    expect(distance(factor, halftone.reference.inverseFactor(hessian, n, used))).toBeLessThan(1e-4)
  })

  it('takes dead columns out of the others\' way', async () => {
    const hessian = Float64Array.of(8, 0, 2, 0, 0, 0, 2, 0, 4)
    const factor = new Float32Array(9)
    await halftone.inverseFactor(hessian, 3, 0.5, factor)
    const live = new Float32Array(4)
    await halftone.inverseFactor(Float64Array.of(8, 2, 2, 4), 2, 0.5 * 4 / 6, live)
    expect([factor[0], factor[2], factor[6], factor[8]]).toEqual([...live])
    expect(factor[4]).toBeCloseTo(1 / Math.sqrt(2), 6) // damping 0.5 × mean 4
    expect([factor[1], factor[3], factor[5], factor[7]]).toEqual([0, 0, 0, 0])
  })

  it('of nothing seen at all is the identity up to a factor', async () => {
    const factor = new Float32Array(9)
    await halftone.inverseFactor(new Float64Array(9), 3, 0.01, factor)
    expect([...factor]).toEqual([10, 0, 0, 0, 10, 0, 0, 0, 10])
  })

  it('refuses values that are not finite and matrices that are no Gram matrix', async () => {
    const factor = new Float32Array(4)
    await expect(halftone.inverseFactor(Float64Array.of(1, NaN, NaN, 1), 2, 0.01, factor)).rejects.toThrow(/row 0 of the layer Hessian holds a value that is not finite/)
    await expect(halftone.inverseFactor(Float64Array.of(1, 0, 0, -1), 2, 0.01, factor)).rejects.toThrow(/diagonal element 1 .* negative/)
    await expect(halftone.inverseFactor(Float64Array.of(1, 1e6, 1e6, 1), 2, 0.01, factor)).rejects.toThrow(/not positive semidefinite/)
  })
})

describe('cholesky', () => {
  it('rejects matrices that are not positive definite', async () => {
    await expect(halftone.cholesky(Float32Array.of(1, 2, 2, 1), 2)).rejects.toThrow(/matrix \[2, 2\] is not positive definite/)
    await expect(halftone.cholesky(Float32Array.of(1, 1, 1, 1), 2)).rejects.toThrow(/not positive definite/)
    await expect(halftone.cholesky(Float32Array.of(NaN), 1)).rejects.toThrow(/not positive definite/)
  })
})

describe('matmul', () => {
  it('spreads NaN over its row only', async () => {
    const [a, b, c] = [normals(7 * 5, 1), normals(5 * 17, 2), new Float32Array(7 * 17)]
    a[3 * 5 + 2] = NaN
    await halftone.matmul(a, b, 7, 17, 5, false, false, c)
    for (let i = 0; i < 7; i++) expect(c.subarray(i * 17, (i + 1) * 17).every((value) => Number.isNaN(value) === (i === 3))).toBe(true)
  })
})

it.each(halftone.simdSets())('gives the same bytes for any number of threads, %s', async (set) => {
  halftone.setSimd(set)
  const [n, tokens] = [333, 700]
  const x = correlatedInputs(tokens, n, 4)
  async function run(threads: number) {
    halftone.setThreads(threads)
    const [product, factor, root] = [new Float32Array(n * n), new Float32Array(n * n), new Float32Array(n * n)]
    await halftone.matmul(x, x, n, n, tokens, true, false, product)
    const { hessian, absolute } = await gramOf(x, tokens, n)
    await halftone.inverseFactor(hessian, n, 0.01, factor)
    root.set(hessian)
    await halftone.cholesky(root, n)
    return { product, hessian, absolute, factor, root, error: await halftone.outputError(product, factor, { rows: n, cols: n }, hessian) }
  }
  const alone = await run(1)
  expect(await run(2)).toEqual(alone)
  expect(await run(5)).toEqual(alone)
})
