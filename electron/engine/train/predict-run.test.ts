import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { predictMemory } from './predict.ts'
import { trainedRun, type TrainedRun } from './predict-run.ts'
import { golden } from './testing.ts'

describe('trainedRun', () => {
  let model: DecoderModel
  beforeAll(async () => {
    model = await openDecoder(golden, silent)
  })
  afterAll(() => model.close())

  function runOf(training: Recipe['training'], memoryBytes?: number, correction: Recipe['correction'] = 'codes'): TrainedRun {
    const choice = model.layers.map(({ name, block }) => ({ name, option: block === null ? 'F16' : 'Q4_0', rank: 0, bytes: 0, predictedLoss: 0 }))
    const run = trainedRun(model, { correction, training, choice, data: { path: 'text', sha256: '', samples: 10, length: 32 }, memoryBytes })
    if (run === null) throw new Error(`${correction} is trained`)
    return run
  }
  const asked = { steps: 100, batch: 4, length: 16, windows: 8 }

  test('short windows go side by side, in shares of the batch', () => {
    expect(runOf(asked).size.microBatch).toBe(4)
    expect(runOf({ ...asked, batch: 34 }).size.microBatch).toBe(17) // 32 would fit 512 tokens
  })

  test('as many as the memory allows, and at least one', () => {
    const { base, size } = runOf(asked)
    const least = (microBatch: number): number => {
      const { peakMemoryBytes, parkableBytes } = predictMemory(base, { ...size, microBatch })
      return peakMemoryBytes - parkableBytes
    }
    expect(runOf(asked, least(4)).size.microBatch).toBe(4)
    expect(runOf(asked, least(4) - 1).size.microBatch).toBe(2)
    expect(runOf(asked, 1).size.microBatch).toBe(1)
  })

  test('gradients of weights are taken for codes and for scales, not for branches', () => {
    const inBlocks = model.layers.filter(({ block }) => block !== null).reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
    expect(runOf(asked).size).toMatchObject({ codes: inBlocks, gradedWeights: inBlocks })
    expect(runOf(asked, undefined, 'scales').size).toMatchObject({ codes: 0, gradedWeights: inBlocks })
    expect(runOf({ ...asked, trainable: ['adapters', 'norms'] }, undefined, 'lrec').size).toMatchObject({ codes: 0, gradedWeights: 0 })
  })

  test('counts the evaluations on held-out windows', () => {
    // Of 20 windows 2 are held out; 100 steps are evaluated every 5, and before the first.
    expect(runOf(asked).size.evaluatedTokens).toBe(21 * 2 * 16)
    expect(runOf({ ...asked, steps: 3 }).size.evaluatedTokens).toBe(4 * 2 * 16)
  })

  test('counts the tokens that are written and those that the original is asked about', () => {
    // 10 windows of 32 tokens are 20 of 16; a run of 400 windows wants 50, none oftener than eight times.
    expect(runOf(asked).size).toMatchObject({ writtenTokens: 30 * 16, taughtTokens: 50 * 16 })
    expect(runOf({ ...asked, written: 7 }).size).toMatchObject({ writtenTokens: 7 * 16, taughtTokens: 27 * 16 })
    const none = runOf({ ...asked, written: 0 })
    expect([none.size.writtenTokens, none.writerBytes]).toEqual([0, 0])
    expect(runOf(asked).writerBytes).toBeGreaterThan(4 * model.elements)
    expect(trainedRun(model, { correction: 'eora', choice: [], data: null })).toBeNull()
  })
})
