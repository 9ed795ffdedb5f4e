import { describe, expect, it } from 'vitest'
import type { CodeTrainable } from '../../train/trainables/codes.ts'
import type { BlockProblem } from './learner.ts'
import { pvTune, reencode, thresholdOf } from './pv.ts'
import { signRound, signStep } from './signround.ts'

/** Weights w on the grid of whole numbers from 0 to 3, with the error (q − w)ᵀ H (q − w): small enough to try every rounding. */
function problemOf(weights: readonly number[], hessian: readonly (readonly number[])[]): { problem: BlockProblem; codes: CodeTrainable; error: (q: ArrayLike<number>) => number } {
  const nearest = weights.map(Math.round)
  const values = Float32Array.from(weights, (weight, at) => weight - nearest[at])
  const gradient = new Float32Array(weights.length)
  const places = (): Uint8Array => Uint8Array.from(values, (value, at) => Math.max(0, Math.min(3, Math.round(nearest[at] + value))))
  const slope = (q: ArrayLike<number>): number[] => hessian.map((row) => row.reduce((sum, h, at) => sum + 2 * h * (q[at] - weights[at]), 0))
  const error = (q: ArrayLike<number>): number => slope(q).reduce((sum, value, at) => sum + value * (q[at] - weights[at]) / 2, 0)
  const codes: CodeTrainable = { name: 'codes', set: 'codes', block: 0, values, gradient, groups: { sums: new Float32Array(), products: new Float32Array(), middle: 0 }, decays: false, wrt: [], pull: () => undefined, feeds: () => ({}), refresh: () => Promise.resolve(), places }
  return {
    codes, error,
    problem: {
      codes: [codes], scales: [], windows: 4, seed: 0,
      loss: () => Promise.resolve(error(places())),
      gradients() {
        gradient.set(slope(places()))
        return Promise.resolve(error(places()))
      },
    },
  }
}

const weights = [1.32, 0.45, 2.41, 1.48]
/** Inputs that move together: rounding all of them down is what nearest does, and the worst. */
const hessian = weights.map((_, row) => weights.map((__, col) => (row === col ? 1 : 0.9)))

function least(error: (q: readonly number[]) => number): number {
  let best = Infinity
  for (let code = 0; code < 4 ** 4; code++) best = Math.min(best, error([code & 3, (code >> 2) & 3, (code >> 4) & 3, (code >> 6) & 3]))
  return best
}

describe('signround', () => {
  it('moves by the sign of the gradient alone', () => {
    const values = Float32Array.of(0, 0.25, 0.5)
    signStep(values, Float32Array.of(1e-9, -1e9, 0), 0.125)
    expect([...values]).toEqual([-0.125, 0.375, 0.5])
  })

  it('moves a cell in all: Σ 2/n (1 − k/n) over n steps', async () => {
    const { problem, codes } = problemOf([0], [[1]])
    await signRound({ ...problem, gradients: () => Promise.resolve(codes.gradient.fill(1)[0]) }, { steps: 10, batch: 1, scaleRate: 0 })
    expect(codes.values[0]).toBeCloseTo(-1.1, 5)
  })

  it('finds a rounding that makes up for correlated errors', async () => {
    const { problem, codes, error } = problemOf(weights, hessian)
    const nearest = error(codes.places())
    await signRound(problem, { steps: 100, batch: 1, scaleRate: 0 })
    expect(error(codes.places())).toBeLessThan(nearest / 4)
    expect(error(codes.places())).toBeLessThan(1.6 * least(error))
  })
})

describe('pv', () => {
  it('takes the largest share of the gradients, over all layers', () => {
    const layers = [{ gradient: Float32Array.of(0.1, -5, 0.2, 0) }, { gradient: Float32Array.of(3, 0.3, -0.4, 1, 2, -0.5) }]
    expect(thresholdOf(layers, 0.2)).toBe(3)
    expect(thresholdOf(layers, 0.3)).toBe(2)
    expect(thresholdOf(layers, 1e-9)).toBe(5)
  })

  it('moves those one step downhill, to the middle of a cell, and no others', () => {
    const values = Float32Array.of(0.3, -0.4, 0.2, 1.1)
    reencode({ values, gradient: Float32Array.of(2, -3, 0.5, -1) }, 1)
    expect([...values]).toEqual([-1, 1, Math.fround(0.2), 2])
  })

  it('never makes the error larger, and finds a better rounding', async () => {
    const { problem, codes, error } = problemOf(weights, hessian)
    const nearest = error(codes.places())
    await pvTune(problem, { rounds: 20, scaleSteps: 0, scaleRate: 0, share: 0.25 })
    expect(error(codes.places())).toBeLessThan(nearest / 4)
  })
})
