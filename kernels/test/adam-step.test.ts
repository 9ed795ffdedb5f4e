import { describe, expect, it } from 'vitest'
import { kernels, type AdamOptions } from '../kernels.ts'
import { noise } from './packed-weights.ts'

/** Algorithm 2 of Loshchilov and Hutter 2019 in float64; returns new arrays. */
function reference(state: readonly Float64Array[], grads: Float32Array, { lr, beta1, beta2, epsilon, weightDecay, step }: AdamOptions): Float64Array[] {
  const [p, m, v] = state.map((array) => array.slice())
  if (!p || !m || !v) throw new Error('three arrays expected')
  grads.forEach((g, i) => {
    m[i] = beta1 * (m[i] ?? NaN) + (1 - beta1) * g
    v[i] = beta2 * (v[i] ?? NaN) + (1 - beta2) * g * g
    const update = (m[i] ?? NaN) / (1 - beta1 ** step) / (Math.sqrt((v[i] ?? NaN) / (1 - beta2 ** step)) + epsilon)
    p[i] = (p[i] ?? NaN) - lr * (update + weightDecay * (p[i] ?? NaN))
  })
  return [p, m, v]
}

const options = { lr: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 }

describe('adamStep', () => {
  it('follows the formulas over many steps, whatever the length', async () => {
    for (const count of [1, 7, 33, 40_001]) { // the last is more than one thread's share
      const [p, m, v] = [noise(count, 1), new Float32Array(count), new Float32Array(count)]
      let state: Float64Array[] = [p, m, v].map((array) => Float64Array.from(array))
      for (let step = 1; step <= 5; step++) {
        const grads = noise(count, 10 + step)
        await kernels().adamStep(p, grads, m, v, { ...options, step })
        state = reference(state, grads, { ...options, step })
      }
      const worst = [p, m, v].map((found, i) => found.reduce((most, value, k) => Math.max(most, Math.abs(value - (state[i]?.[k] ?? NaN))), 0))
      for (const error of worst) expect(error).toBeLessThan(1e-6) // values below 1, floats of 6e-8, five steps
    }
  })

  it('moves by the rate at first, whatever the size of the gradient', async () => {
    const p = Float32Array.of(1, 1, 1)
    await kernels().adamStep(p, Float32Array.of(1e-3, -5, 0), new Float32Array(3), new Float32Array(3), { ...options, weightDecay: 0, step: 1 })
    expect(p[0]).toBeCloseTo(0.99, 6)
    expect(p[1]).toBeCloseTo(1.01, 6)
    expect(p[2]).toBe(1)
  })

  it('refuses arrays that differ and options out of range', () => {
    const three = () => new Float32Array(3)
    expect(() => kernels().adamStep(three(), new Float32Array(2), three(), three(), { ...options, step: 1 })).toThrow('adamStep: grads: has 2 elements, needs 3')
    expect(() => kernels().adamStep(three(), three(), three(), three(), { ...options, step: 0 })).toThrow('adamStep: step is 0')
    expect(() => kernels().adamStep(three(), three(), three(), three(), { ...options, beta2: 1, step: 1 })).toThrow('adamStep: beta2 is 1')
    expect(() => kernels().adamStep(three(), three(), three(), three(), { ...options, lr: NaN, step: 1 })).toThrow('adamStep: lr is NaN')
  })
})
