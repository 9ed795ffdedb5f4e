import { describe, expect, it } from 'vitest'
import { alibiBias, alibiSlopes, causalMask } from './mask.ts'
import { ropeDivisors, ropeTables } from './rope.ts'

describe('ropeTables', () => {
  it('turns pair i of position p by p · θ^(−2i/d)', () => {
    const { cos, sin } = ropeTables({ theta: 100, dimensions: 4, scaling: { kind: 'none' } }, 2, 2)
    const angles = [2, 0.2, 3, 0.3] // positions 2 and 3; frequencies 1 and 1/10
    angles.forEach((angle, at) => {
      expect(cos[at]).toBeCloseTo(Math.cos(angle), 6)
      expect(sin[at]).toBeCloseTo(Math.sin(angle), 6)
    })
  })

  it('goes by the length of the whole context where scaling depends on it', () => {
    const rope = { theta: 100, dimensions: 4, scaling: { kind: 'longrope', short: [1, 1], long: [2, 4], attention: 1.5, original: 8 } } as const
    expect(ropeTables(rope, 1, 1, 8).cos[0]).toBeCloseTo(1.5 * Math.cos(1), 6)
    expect(ropeTables(rope, 1, 1, 9).cos[0]).toBeCloseTo(1.5 * Math.cos(1 / 2), 6)
    expect(ropeTables(rope, 1, 1, 9).cos[1]).toBeCloseTo(1.5 * Math.cos(0.1 / 4), 6)
  })

  it('gives the divisors a GGUF file stores', () => {
    expect(ropeDivisors({ theta: 100, dimensions: 4, scaling: { kind: 'linear', factor: 3 } }).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([3, 3])
    const [first, last] = ropeDivisors({ theta: 1e6, dimensions: 4, scaling: { kind: 'llama3', factor: 8, low: 1, high: 4, original: 64 } })
    expect(first).toBeCloseTo(1, 9) // 64 positions are 10 turns: above 4
    expect(last).toBeCloseTo(8, 9) // 0.01 turns: below 1
  })
})

describe('masks', () => {
  it('hide later positions and those before the window', () => {
    const visible = (mask: Float32Array): number[] => [...mask].map((value) => (value === 0 ? 1 : value < -1e29 ? 0 : NaN))
    expect(visible(causalMask(2, 1, null))).toEqual([1, 1, 0, 1, 1, 1])
    expect(visible(causalMask(3, 0, 2))).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1])
    expect(visible(causalMask(1, 4, 2))).toEqual([0, 0, 0, 1, 1])
  })

  it('slope as ALiBi says, also for heads that are no power of two', () => {
    expect(alibiSlopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((power) => 2 ** -power))
    expect(alibiSlopes(3)).toEqual([2 ** -4, 2 ** -8, 2 ** -2])
    expect([...alibiBias(2, 3)]).toEqual([-2 / 16, -1 / 16, 0, -2 / 256, -1 / 256, 0])
  })
})
