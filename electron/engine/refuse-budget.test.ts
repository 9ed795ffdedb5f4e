import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../contract/events.ts'
import { refuseBudget } from './refuse-budget.ts'

const wanted = { model: path.resolve(import.meta.dirname, '../../assets/sample-model'), target: 'gguf', pins: {} } as const
/** Bytes of the sample's matrices (5,770,496 weights less 13 norms of 256) in ternary blocks, 66 for 256. */
const ternaryBytes = ((5_770_496 - 13 * 256) / 256) * 66

test('a budget below the smallest file is refused with its size, one at it is not', async () => {
  const refused = await refuseBudget({ ...wanted, budget: { kind: 'bits', value: 1.5 } }, silent).then(() => null, (error: unknown) => error)
  expect(refused).toMatchObject({ code: 'budget-impossible', details: { pins: [] } })
  const { smallestBytes } = (refused as { details: { smallestBytes: number } }).details
  expect(smallestBytes - ternaryBytes).toBeGreaterThan(0)
  expect(smallestBytes - ternaryBytes).toBeLessThan(200_000) // norms in float32 and the tokenizer
  await expect(refuseBudget({ ...wanted, budget: { kind: 'bytes', value: smallestBytes + 64 } }, silent)).resolves.toBeUndefined()
})

test('a pin that holds the size up is named', async () => {
  await expect(refuseBudget({ ...wanted, budget: { kind: 'bits', value: 2.3 }, pins: { embedding: 'Q8_0' } }, silent)).rejects.toMatchObject({
    code: 'budget-impossible', details: { pins: [{ layer: 'embedding', option: 'Q8_0', smallest: 'TQ2_0' }] },
  })
})

test('a pin with a correction is taken by its format', async () => {
  await expect(refuseBudget({ ...wanted, budget: { kind: 'bits', value: 8 }, pins: { 'blocks.0.q': 'Q2_K+r8' } }, silent)).resolves.toBeUndefined()
})
