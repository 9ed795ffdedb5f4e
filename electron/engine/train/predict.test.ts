import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { residentBytes } from './base/weight.ts'
import { openGoldens, type Goldens } from './goldens/goldens.ts'
import { measureSpeed } from './measure-speed.ts'
import { predictTraining, type TrainingSize } from './predict.ts'

const size: TrainingSize = { steps: 10, batch: 2, microBatch: 1, length: 16, meanLength: 16, judged: 1, trained: 1000, isJudged: false, hasTeacher: false }
const speed = { flops: 1e9 }

describe('predictTraining', () => {
  let goldens: Goldens
  beforeAll(async () => {
    goldens = await openGoldens()
  })
  afterAll(() => goldens.model.close())

  it('lets the inputs of all blocks wait on disk, and the weights of all but one', async () => {
    const { base, model } = goldens
    const weights = async (block: number): Promise<number> => {
      let sum = 0
      for (const { name } of model.layers.filter((layer) => layer.block === block)) {
        const weight = await base.weight(name)
        sum += residentBytes(weight)
        // Whole zero points are kept as bytes; the prediction counts them as numbers.
        if (weight.weight === 'packed' && weight.zeros instanceof Uint8Array) sum += 3 * weight.zeros.length
      }
      return sum
    }
    expect(predictTraining(base, size, speed).parkableBytes).toBe((await weights(1)) + 2 * 16 * 32 * 4)
  })

  it('counts four arrays of what is trained, one more of what is judged, and the embedding that is kept', () => {
    const { base } = goldens
    const peak = (more: Partial<TrainingSize>, tableBytes = base.tableBytes): number => predictTraining({ ...base, tableBytes }, { ...size, ...more }, speed).peakMemoryBytes
    expect(peak({ trained: 2000 }) - peak({})).toBe(4 * 4 * 1000)
    expect(peak({ isJudged: true }) - peak({})).toBe(4 * 1000)
    expect(peak({}, 5000) - peak({})).toBe(5000)
  })

  it('takes time by the tokens of the steps and of the evaluations', () => {
    const time = (more: Partial<TrainingSize>): number => predictTraining(goldens.base, { ...size, ...more }, speed).elapsedMs
    expect(time({ steps: 20 }) / time({})).toBeCloseTo(2, 1)
    // A step takes 3.2 forwards of its tokens.
    expect(time({ evaluatedTokens: 3.2 * 10 * 2 * 16 }) / time({})).toBeCloseTo(2, 1)
    expect(time({ taughtTokens: 3.2 * 10 * 2 * 16 }) / time({})).toBeCloseTo(2, 1)
    // Writing takes three.
    expect(time({ writtenTokens: (3.2 * 10 * 2 * 16) / 3 }) / time({})).toBeCloseTo(2, 1)
    // A product and a sum for every token and every weight whose gradient is taken.
    expect(time({ gradedWeights: 1e6 }) - time({})).toBeCloseTo((1000 * 2 * 1e6 * 10 * 2 * 16) / speed.flops, -1)
    expect(predictTraining(goldens.base, size, { flops: 2e9 }).elapsedMs).toBeCloseTo(time({}) / 2, -1)
  })

  it('goes by a measured block, which leaves the branches as they are', async () => {
    const { base, adapter } = goldens
    const before = structuredClone([...adapter])
    const { flops } = await measureSpeed(base, { adapter, microBatch: 2, length: 16, threads: 1 }, silent.signal)
    expect(flops).toBeGreaterThan(0)
    expect([...adapter]).toEqual(before)
  })
})
