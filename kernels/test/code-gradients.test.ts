import { describe, expect, it } from 'vitest'
import { kernels } from '../kernels.ts'
import { noise } from './packed-weights.ts'

const middle = 2

describe('codeGradients', () => {
  it.each([[3, 96, 32], [5, 21, 21], [2, 64, 16], [4, 12, 4], [80, 512, 32]])('of [%d, %d] in groups of %d are sums over the groups, and added to those of the codes', async (rows, cols, group) => {
    const count = rows * cols
    const gradient = noise(count, 1)
    const codes = Uint8Array.from({ length: count }, (_, at) => (at * 7 + 3) % 4)
    const scales = noise(count / group, 2)
    const before = noise(count, 3)
    const [ofCodes, sums, products] = [before.slice(), new Float32Array(count / group).fill(NaN), new Float32Array(count / group).fill(NaN)]
    await kernels().codeGradients(gradient, codes, { rows, cols }, { group, middle, step: 1.5 }, scales, ofCodes, sums, products)
    for (let at = 0; at < count; at++) expect(ofCodes[at]).toBeCloseTo(before[at] + gradient[at] * 1.5 * scales[Math.floor(at / group)], 6)
    for (let part = 0; part < count / group; part++) {
      const own = Array.from({ length: group }, (_, at) => part * group + at)
      expect(sums[part]).toBeCloseTo(own.reduce((sum, at) => sum + gradient[at], 0), 5)
      expect(products[part]).toBeCloseTo(own.reduce((sum, at) => sum + gradient[at] * (codes[at] - middle), 0), 5)
    }
  })

  it('refuses groups that do not divide a row, and arrays that are too short', () => {
    const call = (cols: number, group: number, length: number): Promise<void> =>
      kernels().codeGradients(new Float32Array(length), new Uint8Array(8), { rows: 1, cols }, { group, middle, step: 1 }, new Float32Array(8), new Float32Array(8), new Float32Array(8), new Float32Array(8))
    expect(() => call(8, 3, 8)).toThrow('codeGradients: found 8 columns, expected a multiple of the group, 3')
    expect(() => call(8, 4, 7)).toThrow('codeGradients: gradient: has 7 elements, needs 8')
  })
})
