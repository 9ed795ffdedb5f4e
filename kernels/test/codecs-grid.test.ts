/** @file A block's grid and its decoder agree: codes packed into any block decode to exactly the grid's values. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernels, type BlockGrid } from '../kernels.ts'
import { bits, codedNames, decoded } from './codec-goldens.ts'

const RUNS = 40

/** steps[p]·level + offsets[p], each operation rounded to a float. */
function value(grid: BlockGrid, i: number, code: number): number {
  const part = Math.floor(i / grid.part)
  const level = grid.levels ? grid.levels[code] ?? NaN : grid.first + code
  return Math.fround(Math.fround((grid.steps[part] ?? NaN) * level) + (grid.offsets[part] ?? NaN))
}

describe('grid and pack', () => {
  it.each(codedNames)('%s', async (codec) => {
    const n = kernels().codecBlock(codec) || 83
    const size = kernels().codecBytes(codec, { rows: 1, cols: n })
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: size, maxLength: size }), fc.infiniteStream(fc.nat({ max: 255 })), async (block, stream) => {
      const grid = kernels().codecGrid(codec, n, block)
      const count = grid.last - grid.first + 1
      const codes = Uint8Array.from({ length: n }, () => stream.next().value % count)
      kernels().codecPack(codec, n, block, codes)
      expect(kernels().codecGrid(codec, n, block)).toEqual(grid) // the parameters are as they were
      const found = await decoded(codec, { rows: 1, cols: n }, block)
      expect(bits(found)).toEqual(bits(Float32Array.from(codes, (code, i) => value(grid, i, code))))
    }), { numRuns: RUNS, seed: 1 })
  })

  it.each(codedNames)('%s: levels rise', (codec) => {
    const n = kernels().codecBlock(codec) || 83
    const grid = kernels().codecGrid(codec, n, new Uint8Array(kernels().codecBytes(codec, { rows: 1, cols: n })))
    if (grid.levels) expect([...grid.levels].sort((a, b) => a - b)).toEqual([...grid.levels])
    expect(grid.last).toBeGreaterThan(grid.first)
    expect(grid.steps.length * grid.part).toBe(n)
  })

  it('refuses codes that the grid does not have', () => {
    const block = new Uint8Array(kernels().codecBytes('int3-g32', { rows: 1, cols: 32 }))
    expect(() => { kernels().codecPack('int3-g32', 32, block, new Uint8Array(32).fill(8)) }).toThrow('codes: found 8, expected at most 7')
    expect(() => kernels().codecGrid('int3-g32', 31, block)).toThrow('n: found 31, expected 32, the block of int3-g32')
  })
})
