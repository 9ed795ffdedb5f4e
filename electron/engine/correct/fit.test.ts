import { describe, expect, test } from 'vitest'
import { addInputs, emptyStatistics } from '../calibrate/statistics.ts'
import { correctionOf, type ClosedForm } from './corrections.ts'
import { branchOf, fitLowRank, residuals, type LowRankFit } from './fit.ts'
import golden from './goldens/corrections.json' with { type: 'json' }
import { correctionInputs, type CorrectionInputs } from './inputs.ts'
import { mergeBranch } from './merge.ts'
import { leadingSubspace } from './subspace.ts'
import { eigenSymmetric } from './symmetric.ts'

const shape = { rows: golden.out, cols: golden.in }
const delta = Float32Array.from(golden.delta)
/** The iteration ends where a step adds less than a thousandth of the captured energy. */
const TOLERANCE = 3e-3

async function goldenInputs(): Promise<CorrectionInputs> {
  const statistics = emptyStatistics(golden.in)
  await addInputs(statistics, Float32Array.from(golden.x))
  return correctionInputs(statistics)
}

async function fitted(name: ClosedForm, rank: number): Promise<LowRankFit> {
  const correction = correctionOf(name)
  if (correction === null) throw new Error(name)
  return fitLowRank(delta, shape, correction, await goldenInputs(), rank)
}

/** tr((Δ − BA)·H·(Δ − BA)ᵀ) per token by plain loops in double. */
function errorOf(left: Float32Array): number {
  let sum = 0
  for (let token = 0; token < golden.tokens; token++) {
    for (let row = 0; row < golden.out; row++) {
      let y = 0
      for (let col = 0; col < golden.in; col++) y += (left[row * golden.in + col] ?? 0) * (golden.x[token * golden.in + col] ?? 0)
      sum += y * y
    }
  }
  return sum / golden.tokens
}

describe.each(['eora', 'diagonal', 'svd'] as const)('%s', (name) => {
  const expected = golden.residual[name]
  const total = expected[0]?.[1] ?? NaN

  test('leaves what numpy’s decomposition leaves, at every rank', async () => {
    for (const [rank = 0, left = NaN] of expected.slice(1)) {
      const fit = await fitted(name, rank)
      const branch = branchOf('x', fit, rank)
      const error = errorOf(await mergeBranch(delta, branch, -1))
      expect(Math.abs(error - left) / total, `rank ${rank}`).toBeLessThan(TOLERANCE)
    }
  })

  test('one fit tells the error of all smaller ranks', async () => {
    const fit = await fitted(name, 16)
    const left = residuals(fit, total)
    for (const rank of [1, 4, 16]) expect(Math.abs((left[rank] ?? NaN) - errorOf(await mergeBranch(delta, branchOf('x', fit, rank), -1))) / total, `rank ${rank}`).toBeLessThan(1e-5)
    for (const [rank = 0, value = NaN] of expected) expect(Math.abs((left[rank] ?? NaN) - value) / total).toBeLessThan(TOLERANCE)
  })
})

test('at full rank nothing is left', async () => {
  const fit = await fitted('eora', 20)
  expect(errorOf(await mergeBranch(delta, branchOf('x', fit, 20), -1))).toBeLessThan(1e-9)
})

test('the inputs decide: eora leaves less than the diagonal, that less than plain svd', () => {
  const at = (name: ClosedForm & keyof typeof golden.residual): number => golden.residual[name].find(([rank]) => rank === 4)?.[1] ?? NaN
  expect(at('eora')).toBeLessThan(at('diagonal'))
  expect(at('diagonal')).toBeLessThan(at('svd'))
})

describe('numerics', () => {
  test('eigenvalues of a matrix with known ones', () => {
    // Rows of a Hadamard matrix as vectors: H diag(1, 2, 3, 10) Hᵀ / 4.
    const h = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    const values = [1, 2, 3, 10]
    const matrix = Float64Array.from({ length: 16 }, (_, at) => values.reduce((sum, value, k) => sum + ((h[Math.floor(at / 4)]?.[k] ?? 0) * value * (h[at % 4]?.[k] ?? 0)) / 4, 0))
    const eigen = eigenSymmetric(matrix, 4)
    expect([...eigen.values].map((value) => Math.round(value * 1e9) / 1e9)).toEqual([10, 3, 2, 1])
    for (let k = 0; k < 4; k++) for (let row = 0; row < 4; row++) {
      const product = [0, 1, 2, 3].reduce((sum, col) => sum + (matrix[row * 4 + col] ?? 0) * (eigen.vectors[col * 4 + k] ?? 0), 0)
      expect(product).toBeCloseTo((eigen.values[k] ?? 0) * (eigen.vectors[row * 4 + k] ?? 0), 9)
    }
  })

  test('an operator of lower rank than asked for gives orthonormal vectors and zeros', async () => {
    const { vectors, count } = await leadingSubspace((x, width) => Promise.resolve(x.map((value, at) => (Math.floor(at / width) < 2 ? value * (Math.floor(at / width) + 1) : 0))), 6, 4)
    expect(count).toBe(4)
    expect(Math.abs(vectors[1 * 4 + 0] ?? 0)).toBeCloseTo(1, 6) // e₂ has the larger value
    expect(Math.abs(vectors[0 * 4 + 1] ?? 0)).toBeCloseTo(1, 6)
    for (const value of vectors) expect(Number.isFinite(value)).toBe(true)
  })

  test('an error of zero is corrected by nothing', async () => {
    const correction = correctionOf('eora')
    if (correction === null) throw new Error('no eora')
    const fit = await fitLowRank(new Float32Array(delta.length), shape, correction, await goldenInputs(), 4)
    expect(await mergeBranch(delta, branchOf('x', fit, 4))).toEqual(delta)
    expect([...fit.gains]).toEqual([0, 0, 0, 0])
  })

  test('the same error gives the same branch', async () => {
    expect(branchOf('x', await fitted('eora', 4), 4)).toEqual(branchOf('x', await fitted('eora', 4), 4))
  })
})
