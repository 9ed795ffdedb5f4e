import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { withFolder } from '../io/temporary-folder.ts'
import index from './goldens/index.json' with { type: 'json' }
import { openDecoder } from './model.ts'
import { openPark } from './park.ts'
import { openProgram } from './program.ts'
import { rowRanges } from './tables.ts'

describe('tables too large to keep', () => {
  it('are read by rows and slices, with the same result', async () => {
    const model = await openDecoder(path.join(import.meta.dirname, 'goldens', 'gemma2'), silent)
    const whole = openProgram(model, { threads: 1 })
    const sliced = openProgram(model, { threads: 1, tableBytes: 32 * 4 * 40 }) // 40 of 96 rows: slices of 40, 40 and 16
    const tokens = Int32Array.from(index.tokens[0] ?? [])
    const hidden = await whole.embed(tokens)
    expect(await sliced.embed(tokens)).toEqual(hidden)
    const logits = await whole.logits(hidden)
    const parts = await sliced.logits(hidden)
    expect(parts).toHaveLength(logits.length)
    parts.forEach((value, at) => expect(value).toBeCloseTo(logits[at] ?? NaN, 5))
    whole.dispose()
    sliced.dispose()
    await model.close()
  })

  it('reads near rows at once', () => {
    expect(rowRanges([2, 3, 6, 20, 26, 27])).toEqual([[2, 7], [20, 21], [26, 28]])
    expect(rowRanges([])).toEqual([])
  })

  it('refuses tokens the model does not know', async () => {
    const model = await openDecoder(path.join(import.meta.dirname, 'goldens', 'gemma2'), silent)
    await expect(openProgram(model).embed(Int32Array.of(3, 96))).rejects.toThrow('found token 96, expected ids from 0 to 95')
    await model.close()
  })

  it('refuses texts longer than the table of learned positions', async () => {
    const model = await openDecoder(path.join(import.meta.dirname, 'goldens', 'opt'), silent)
    const program = openProgram(model, { threads: 1 })
    expect(await program.embed(new Int32Array(32))).toHaveLength(32 * 32)
    await expect(program.embed(new Int32Array(33))).rejects.toThrow('found a text of 33 positions, expected at most 32')
    program.dispose()
    await model.close()
  })
})

describe('openPark', () => {
  it.each([['memory', 1 << 20], ['disk', 0]])('keeps slots in %s and leaves nothing behind', async (_, memoryBytes) => {
    await withFolder(async (folder) => {
      const park = openPark({ windows: 3, slotBytes: 40, memoryBytes, folder })
      await park.set(2, Float32Array.from({ length: 10 }, (_value, at) => at))
      await park.set(0, Float32Array.of(1, 2, 3))
      await park.set(2, Float32Array.from({ length: 10 }, (_value, at) => -at))
      expect([...(await park.get(0))]).toEqual([1, 2, 3])
      expect((await park.get(2))[9]).toBe(-9)
      await expect(park.get(1)).rejects.toThrow('window 1')
      expect(await readdir(folder)).toHaveLength(memoryBytes === 0 ? 1 : 0)
      await park.dispose()
      expect(await readdir(folder)).toEqual([])
    })
  })
})
