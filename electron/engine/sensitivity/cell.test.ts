import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { openDecoder } from '../session/model.ts'
import { gridGroup, groupErrors, histogramOf, viewCell } from './cell.ts'

test('values beyond the range are counted in the end bins', () => {
  expect(histogramOf([-9, -1, -0.1, 0.1, 0.9, 7], -1, 1, 4)).toEqual([2, 1, 1, 2])
})

test('errors of groups are relative to the group', () => {
  expect([...groupErrors(Float32Array.of(3, 4, 0, 0, 1, 0), Float32Array.of(3, 0, 0, 0, 1, 1), 2)]).toEqual([0.8, 0, 1])
})

test.each([['Q4_K', 32], ['Q2_K', 16], ['int4-g64-sym', 64], ['int8-channel', 128], ['F16', 128]])('%s shares a scale among %i of 128 columns', (codec, group) => {
  expect(gridGroup(codec, 128)).toBe(group)
})

test('a layer in 4-bit blocks: sixteen values at most, every weight within half a step of one', async () => {
  const model = await openDecoder(path.join(import.meta.dirname, '../../../assets/sample-model'), silent)
  try {
    const view = await viewCell(model, 'blocks.0.q', 'Q4_0', 'nearest')
    expect(view.group).toBe(32)
    expect(view.levels.length).toBeLessThanOrEqual(16)
    const [rows, cols] = model.layers.find(({ name }) => name === 'blocks.0.q')?.shape ?? [0, 0]
    expect(view.weights.counts.reduce((a, b) => a + b, 0)).toBe(rows * cols)
    expect(view.errors.counts.reduce((a, b) => a + b, 0)).toBe((rows * cols) / 32)
    const step = Math.min(...view.levels.slice(1).map((level, i) => level - view.levels[i]))
    const distance = (value: number): number => Math.min(...view.levels.map((level) => Math.abs(level - value)))
    expect(Math.max(...view.sample.map(distance))).toBeLessThanOrEqual(step * 1.01)
    expect(view.relativeError).toBeGreaterThan(0.02)
    expect(view.relativeError).toBeLessThan(0.2)
    await expect(viewCell(model, 'blocks.0.q', 'Q9', 'nearest')).rejects.toMatchObject({ code: 'bad-request' })
  } finally {
    await model.close()
  }
})
