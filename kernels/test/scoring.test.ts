import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kernels } from '../kernels.ts'

/** The formulas of simd/scoring.h, term by term in double. */
function expected(x: Float32Array, reference: Float32Array, label: number): { nll: number; kl: number; same: number } {
  const logSoftmax = (row: Float32Array) => {
    const top = row.reduce((a, b) => Math.max(a, b))
    const log = Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0))
    return Array.from(row, (value) => value - top - log)
  }
  const [p, q] = [logSoftmax(x), logSoftmax(reference)]
  const kl = q.reduce((sum, logQ, i) => sum + (Math.exp(logQ) === 0 ? 0 : Math.exp(logQ) * (logQ - (p[i] ?? NaN))), 0)
  return { nll: -(p[label] ?? NaN), kl, same: Number(p.indexOf(Math.max(...p)) === q.indexOf(Math.max(...q))) }
}

async function score(rows: readonly Float32Array[], reference: readonly Float32Array[] | null, labels: readonly number[]) {
  const vocabulary = rows[0]?.length ?? 0
  const flat = (list: readonly Float32Array[]) => Float32Array.from(list.flatMap((row) => [...row]))
  const [nll, kl, same] = [new Float64Array(rows.length), new Float64Array(rows.length), new Uint8Array(rows.length)]
  await kernels().score(flat(rows), reference && flat(reference), Int32Array.from(labels), rows.length, vocabulary, nll, kl, same)
  return { nll, kl, same }
}

/** A row of logits spread like a language model's: most mass on few. */
function logits(vocabulary: number, seed: number): Float32Array {
  return Float32Array.from({ length: vocabulary }, (_, i) => 6 * Math.sin(i * 12.9898 + seed * 78.233) + 8 * Math.sin(i * seed) ** 31)
}

describe.each(kernels().simdSets())('score (%s)', (set) => {
  beforeAll(() => kernels().setSimd(set))
  afterAll(() => kernels().setSimd('auto'))

  it('agrees with the formulas, whatever the length', async () => {
    for (const vocabulary of [1, 2, 3, 7, 31, 33, 4097]) {
      const rows = [1, 2, 3].map((seed) => logits(vocabulary, seed))
      const reference = [1, 5, 3.01].map((seed) => logits(vocabulary, seed))
      const labels = [0, vocabulary - 1, vocabulary >> 1]
      const { nll, kl, same } = await score(rows, reference, labels)
      rows.forEach((row, r) => {
        const want = expected(row, reference[r] ?? row, labels[r] ?? 0)
        expect(nll[r]).toBeCloseTo(want.nll, 12)
        expect(kl[r]).toBeCloseTo(want.kl, 12)
        expect(same[r]).toBe(want.same)
      })
    }
  })

  it('gives values computed by hand', async () => {
    // softmax of [0, ln 3] is [1/4, 3/4]; of [ln 3, 0] it is [3/4, 1/4].
    const ln3 = Math.fround(Math.log(3))
    const { nll, kl, same } = await score([Float32Array.of(0, ln3)], [Float32Array.of(ln3, 0)], [0])
    expect(nll[0]).toBeCloseTo(Math.log(4), 7)
    expect(kl[0]).toBeCloseTo(0.5 * Math.log(3), 7)
    expect(same[0]).toBe(0)
  })

  it('keeps the digits where the mass lies far from the label', async () => {
    const row = new Float32Array(64).fill(-1000)
    row[10] = 88
    row[20] = 88 - 700
    const { nll, kl } = await score([row], [row], [20])
    expect(nll[0]).toBe(700)
    expect(kl[0]).toBe(0)
  })

  it('leaves unscored rows at 0 and counts impossible tokens as nothing', async () => {
    const infinity = Float32Array.of(1, 2, -Infinity, -Infinity, 0, -Infinity, 1, 1, -Infinity, 3)
    const { nll, kl, same } = await score([infinity, infinity], [infinity, infinity], [9, -1])
    expect(nll[0]).toBeCloseTo(expected(infinity, infinity, 9).nll, 14)
    expect(Math.abs(kl[0] ?? 1)).toBeLessThan(1e-15)
    expect([nll[1], kl[1], ...same]).toEqual([0, 0, 1, 0])
  })

  it('says NaN for rows with NaN or +∞, and +∞ where the reference has mass on the impossible', async () => {
    const fine = logits(20, 1)
    const spoiled = [NaN, Infinity].map((value) => fine.with(13, value))
    const { nll, kl } = await score([...spoiled, fine.with(13, -Infinity)], [fine, fine, fine], [0, 0, 0])
    expect([...nll.subarray(0, 2), ...kl.subarray(0, 2)]).toEqual([NaN, NaN, NaN, NaN])
    expect(kl[2]).toBe(Infinity)
  })

  it('ties go to the first', async () => {
    const tied = new Float32Array(40).fill(1)
    const { same } = await score([tied, tied], [tied, tied.with(0, 0.5)], [0, 0])
    expect([...same]).toEqual([1, 0])
  })

  it('refuses labels outside the vocabulary and short buffers', () => {
    const call = (label: number, nll: Float64Array) => () => kernels().score(new Float32Array(4), null, Int32Array.of(label), 1, 4, nll, new Float64Array(1), new Uint8Array(1))
    expect(call(4, new Float64Array(1))).toThrow('label 4 of row 0 is outside the vocabulary of 4')
    expect(call(0, new Float64Array(0))).toThrow('score: nll: has 0 elements, needs 1')
  })
})
