/** What training is expected to leave of a plan's losses. */
import { expect, test } from 'vitest'
import { afterTraining } from './after-training.ts'
import type { TargetLayer } from './target-layers.ts'

const layer = (name: string, block: number | null): TargetLayer => ({
  name, kind: 'matmul', shape: [4, 8], elements: 32, ties: null, block, trace: null, options: new Map([['Q4_K', { bytes: 18, value: 2, stderr: 0.5 }]]), excluded: new Map(),
})
const layers = [layer('embedding', null), layer('blocks.0.q', 0)]

test('training of codes takes away the same share of every block’s loss and none of a table’s', () => {
  const [embedding, q] = afterTraining(layers, 'codes').map(({ options }) => options.get('Q4_K'))
  expect(embedding).toEqual({ bytes: 18, value: 2, stderr: 0.5 })
  expect(q?.bytes).toBe(18)
  expect(q?.value).toBeLessThan(1)
  expect((q?.stderr ?? NaN) / (q?.value ?? NaN)).toBeCloseTo(0.25)
})

test('where nothing is trained, losses stay as they were measured', () => {
  for (const correction of ['none', 'eora'] as const) expect(afterTraining(layers, correction)).toEqual(layers)
})
