import { expect, it } from 'vitest'
import { kernels } from '../kernels.ts'

it('sums the weighted squared difference', async () => {
  const a = Float32Array.from([1, 2, 3, 4, 5, 6])
  const b = Float32Array.from([0, 2, 1, 4, 8, 5])
  const shape = { rows: 2, cols: 3 }
  expect(await kernels().weightedError(a, b, shape, null, null)).toBe(1 + 4 + 9 + 1)
  expect(await kernels().weightedError(a, b, shape, Float64Array.of(10, 1), Float32Array.of(1, 2, 3))).toBe(10 * (1 + 12) + (18 + 3))
})

it('agrees with a plain sum on a size that is no multiple of the lanes', async () => {
  const [rows, cols] = [37, 61]
  const a = Float32Array.from({ length: rows * cols }, (_, i) => Math.sin(i))
  const b = Float32Array.from({ length: rows * cols }, (_, i) => Math.cos(i))
  const use = Float64Array.from({ length: rows }, (_, r) => r % 3)
  let expected = 0
  for (let i = 0; i < a.length; i++) expected += (use[Math.floor(i / cols)] ?? 0) * ((a[i] ?? 0) - (b[i] ?? 0)) ** 2
  expect(await kernels().weightedError(a, b, { rows, cols }, use, null)).toBeCloseTo(expected, 9)
})

it('refuses buffers that are too short', () => {
  expect(() => kernels().weightedError(new Float32Array(3), new Float32Array(6), { rows: 2, cols: 3 }, null, null)).toThrow('has 3 elements, needs 6')
})
