import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWeightPark, type BlockWeights } from './weight-park.ts'
import type { BaseWeight } from './weight.ts'

/** A weight of every layout: without zero points, with whole ones, with others, dense. Their sizes are no multiples of each other. */
function layouts(seed: number): BlockWeights {
  const format = { bits: 3, group: 16, zeros: true } as const
  const codes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, at) => (seed * 31 + at) & 255)
  const floats = (count: number): Float32Array => Float32Array.from({ length: count }, (_, at) => Math.sin(seed + at))
  return new Map<string, BaseWeight>([
    ['q', { weight: 'packed', shape: [3, 16], format: { ...format, zeros: false }, codes: codes(18), scales: floats(3), zeros: null }],
    ['k', { weight: 'packed', shape: [5, 32], format, codes: codes(60), scales: floats(10), zeros: codes(10) }],
    ['v', { weight: 'packed', shape: [1, 16], format, codes: codes(6), scales: floats(1), zeros: floats(1) }],
    ['o', { weight: 'dense', shape: [2, 7], values: floats(14) }],
  ])
}

/** Bytes of the arrays above. */
const BYTES = 18 + 12 + 60 + 40 + 10 + 6 + 4 + 4 + 56

function buffersOf(weights: BlockWeights): Set<ArrayBufferLike> {
  return new Set([...weights.values()].flatMap((weight) => (weight.weight === 'dense' ? [weight.values] : [weight.codes, weight.scales, ...(weight.zeros === null ? [] : [weight.zeros])])).map(({ buffer }) => buffer))
}

describe('openWeightPark', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'halftone-weights-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('gives back every layout, parked ones in the memory of one block', async () => {
    await writeFile(path.join(folder, 'weights.tmp'), 'what a killed run has left')
    const asked: number[] = []
    const park = openWeightPark({ folder, holds: (bytes) => asked.push(bytes) === 1 })
    for (const block of [0, 1, 2]) await park.set(block, layouts(block))
    expect(asked).toEqual([BYTES, BYTES, BYTES])
    expect(await readdir(folder)).toEqual(['weights.tmp'])
    const memory = new Set<ArrayBufferLike>()
    for (const block of [0, 1, 2, 2, 1, 0, 2]) {
      const found = await park.get(block)
      expect(found).toEqual(layouts(block))
      if (block > 0) for (const buffer of buffersOf(found)) memory.add(buffer)
    }
    expect(memory.size).toBe(1)
    expect([...memory][0]?.byteLength).toBeLessThan(2 * BYTES + 9 * 64)
    await park.dispose()
    expect(await readdir(folder)).toEqual([])
  })

  it('writes nothing where all of it may stay', async () => {
    const park = openWeightPark({ folder, holds: () => true })
    const weights = layouts(0)
    await park.set(0, weights)
    expect(await park.get(0)).toBe(weights)
    expect(await readdir(folder)).toEqual([])
    await park.dispose()
  })

  it('says so where the file is not what was written, or cannot be', async () => {
    const park = openWeightPark({ folder, holds: () => false })
    await park.set(0, layouts(0))
    await truncate(path.join(folder, 'weights.tmp'), 10)
    await expect(park.get(0)).rejects.toMatchObject({ code: 'file-malformed', message: expect.stringMatching(/weights\.tmp: found 10 bytes of block 0, expected \d+/) as string })
    await park.dispose()
    await writeFile(path.join(folder, 'file'), '')
    const nowhere = openWeightPark({ folder: path.join(folder, 'file'), holds: () => false })
    await expect(nowhere.set(0, layouts(0))).rejects.toMatchObject({ code: expect.stringMatching(/^file-/) as string })
    await nowhere.dispose()
  })
})
