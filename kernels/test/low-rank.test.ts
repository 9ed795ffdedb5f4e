import { describe, expect, it } from 'vitest'
import { kernels, type Shape } from '../kernels.ts'
import golden from './goldens/low_rank.json' with { type: 'json' }
import { correlatedInputs, normals } from './random.ts'

const halftone = kernels()
const { rows, cols } = golden
const shape: Shape = { rows, cols }
const delta = Float32Array.from(golden.delta)
const hessian = Float64Array.from(golden.hessian)
/** Energies left, relative to all: factors are stored as float. */
const tolerance = 1e-5

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, index) => (index % (n + 1) === 0 ? 1 : 0))
}

/** left [m, k] · right [k, n] in double. */
function product(left: Float32Array, right: Float32Array, m: number, n: number, k: number): Float32Array {
  return Float32Array.from(halftone.reference.matmul(left, right, m, n, k, false, false))
}

async function correct(matrix: Float32Array, of: Shape, metric: Float64Array, rank: number, seed = 0) {
  const [b, a] = [new Float32Array(of.rows * rank), new Float32Array(rank * of.cols)]
  await halftone.lowRankCorrection(matrix, of, metric, rank, seed, b, a)
  return { b, a, sum: product(b, a, of.rows, of.cols, rank) }
}

/** u diag(s) vᵀ */
async function approximate(matrix: Float32Array, of: Shape, rank: number, seed = 0) {
  const { u, s, v } = await halftone.truncatedSvd(matrix, of, rank, seed)
  const scaled = u.map((value, index) => value * (s[index % rank] ?? 0))
  return { u, s, v, sum: Float32Array.from(halftone.reference.matmul(scaled, v, of.rows, of.cols, rank, false, true)) }
}

describe('truncatedSvd', () => {
  it('leaves what NumPy leaves, for every rank', async () => {
    for (let rank = 1; rank <= cols; rank++) {
      const { s, sum } = await approximate(delta, shape, rank)
      expect(Math.abs(halftone.reference.outputError(delta, sum, shape, identity(cols)) - (golden.plain[rank] ?? NaN))).toBeLessThan(tolerance * (golden.plain[0] ?? 0))
      golden.singular.slice(0, rank).forEach((value, index) => expect(s[index]).toBeCloseTo(value, 5))
    }
  })

  it('gives orthonormal vectors', async () => {
    const [m, n, rank] = [90, 70, 6]
    const { u, v } = await halftone.truncatedSvd(normals(m * n, 1), { rows: m, cols: n }, rank, 0)
    for (const [vectors, length] of [[u, m], [v, n]] as const) {
      const gram = halftone.reference.matmul(vectors, vectors, rank, rank, length, true, false)
      identity(rank).forEach((value, index) => expect(gram[index]).toBeCloseTo(value, 5))
    }
  })

  it('finds a matrix of low rank exactly, with zeros for what is not there', async () => {
    const [m, n] = [60, 130]
    const matrix = product(normals(m * 3, 2), normals(3 * n, 3), m, n, 3)
    const { s, sum, u } = await approximate(matrix, { rows: m, cols: n }, 5)
    expect(halftone.reference.outputError(matrix, sum, { rows: m, cols: n }, identity(n))).toBeLessThan(1e-6 * matrix.reduce((total, value) => total + value * value, 0))
    expect([...s.subarray(3)]).toEqual([0, 0])
    expect(u.filter((_, index) => index % 5 > 2).every((value) => value === 0)).toBe(true)
  })

  it('settles where singular values fall slowly', async () => {
    const [m, n, rank] = [160, 200, 8]
    const matrix = normals(m * n, 4)
    const { sum } = await approximate(matrix, { rows: m, cols: n }, rank)
    const { s } = await halftone.truncatedSvd(matrix, { rows: m, cols: n }, m, 0) // the whole decomposition: no iteration
    const left = s.subarray(rank).reduce((total, value) => total + value * value, 0)
    expect(halftone.reference.outputError(matrix, sum, { rows: m, cols: n }, identity(n)) / left).toBeLessThan(1.0005)
  })

  it('gives the same bytes for the same seed', async () => {
    const matrix = normals(64 * 96, 5)
    expect(await halftone.truncatedSvd(matrix, { rows: 64, cols: 96 }, 4, 9)).toEqual(await halftone.truncatedSvd(matrix, { rows: 64, cols: 96 }, 4, 9))
  })

  it('of zeros is zeros', async () => {
    const { u, s, v } = await halftone.truncatedSvd(new Float32Array(20), { rows: 4, cols: 5 }, 2, 0)
    expect([...u, ...s, ...v].every((value) => value === 0)).toBe(true)
  })

  it('refuses ranks that are too high and values that are not finite', async () => {
    expect(() => halftone.truncatedSvd(delta, shape, cols + 1, 0)).toThrow(/rank: expected at most the least of 14 rows and 10 columns, found 11/)
    await expect(halftone.truncatedSvd(Float32Array.of(1, NaN), { rows: 1, cols: 2 }, 1, 0)).rejects.toThrow(/not finite/)
  })
})

describe('lowRankCorrection', () => {
  it('leaves what NumPy leaves in the metric of the inputs, for every rank', async () => {
    for (let rank = 1; rank <= cols; rank++) {
      const { sum } = await correct(delta, shape, hessian, rank)
      const left = halftone.reference.outputError(delta, sum, shape, hessian)
      expect(Math.abs(left - (golden.weighted[rank] ?? NaN))).toBeLessThan(tolerance * (golden.weighted[0] ?? 0))
    }
  })

  it('with H = I is the singular value decomposition', async () => {
    const { sum } = await correct(delta, shape, identity(cols), 3)
    const { sum: expected } = await approximate(delta, shape, 3)
    sum.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? NaN, 5))
  })

  it('shares the scale between both factors', async () => {
    const { a, b } = await correct(delta, shape, identity(cols), 2)
    const squares = (values: Float32Array) => values.reduce((total, value) => total + value * value, 0)
    expect(squares(a) / squares(b)).toBeCloseTo(1, 4)
  })

  it('leaves less with every rank, where fewer tokens than columns were seen', async () => {
    const [m, n, tokens] = [96, 128, 50]
    const [of, matrix, x] = [{ rows: m, cols: n }, normals(m * n, 6), correlatedInputs(tokens, n, 7)]
    const metric = halftone.reference.gram(x, tokens, n)
    let before = halftone.reference.outputError(matrix, new Float32Array(m * n), of, metric)
    const plain = await approximate(matrix, of, 16)
    for (const rank of [1, 2, 4, 8, 16, 32]) {
      const { sum } = await correct(matrix, of, metric, rank)
      const left = halftone.reference.outputError(matrix, sum, of, metric)
      expect(left).toBeLessThan(before)
      before = left
      if (rank === 16) expect(left).toBeLessThan(0.5 * halftone.reference.outputError(matrix, plain.sum, of, metric))
    }
  })

  it('of a Hessian of zeros corrects nothing', async () => {
    const { a, b } = await correct(delta, shape, new Float64Array(cols * cols), 2)
    expect([...a, ...b].every((value) => value === 0)).toBe(true)
  })
})
