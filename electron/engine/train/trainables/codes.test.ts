import { describe, expect, it } from 'vitest'
import { runtime } from '../../../../kernels/runtime.ts'
import type { CodecName } from '../../../contract/options.ts'
import { gradientOf, seedOf, vjp } from '../../autodiff/vjp.ts'
import { encodeModel } from '../../graph/encode.ts'
import { codeLevels, recoded } from '../base/stored-codes.ts'
import { weightFeeds, type PackedWeight } from '../base/weight.ts'
import { codeTrainable, unpackCodes, type CodeTrainable } from './codes.ts'
import { BATCH, COLS, decoded, encoded, noise, packed, product, ROWS, TOLERANCE } from './testing.ts'

const codecs = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_1', 'TQ2_0', 'int2-g64', 'int3-g32-sym', 'int4-channel', 'int8-g128', 'IQ4_NL', 'IQ4_XS', 'MXFP4'] as const

/** Mean steps of formats whose levels are a table, and the least half of one, in those. */
const steps = new Map<CodecName, number>([['IQ4_NL', 16], ['IQ4_XS', 16], ['MXFP4', 24 / 14]])
const edges = new Map<CodecName, number>([['IQ4_NL', 5.4 / 16], ['IQ4_XS', 5.4 / 16], ['MXFP4', 0.29]])

async function open(codec: CodecName): Promise<{ bytes: Uint8Array; weight: PackedWeight; trainable: CodeTrainable }> {
  const bytes = await encoded(codec)
  const weight = await packed(codec, bytes)
  const trainable = codeTrainable('blocks.0.q', 0, 'q', codec, weight, { bytes })
  if (trainable === null) throw new Error(`${codec} has no codes that can be trained`)
  return { bytes, weight, trainable }
}

describe('trained codes', () => {
  it.each(codecs)('of %s stay as they are until they are at the edge of their cell', async (codec) => {
    const { bytes, weight, trainable } = await open(codec)
    trainable.values.fill(edges.get(codec) ?? 0.49)
    await trainable.refresh()
    expect(await recoded(codec, [ROWS, COLS], bytes, trainable.places())).toEqual(bytes)
    expect(trainable.feeds()['q.codes']?.data).toEqual(weight.codes)
  })

  it.each(codecs)('of %s move the weight by a step of its grid, and no further than the grid goes', async (codec) => {
    const { bytes, weight, trainable } = await open(codec)
    const before = await decoded(codec, bytes)
    const group = before.length / weight.scales.length
    const levels = codeLevels(codec, COLS, bytes)?.codes ?? []
    const codes = unpackCodes(weight.codes, ROWS, COLS, weight.format.bits)
    const step = steps.get(codec) ?? 1
    trainable.values.fill(0.7)
    const after = await decoded(codec, await recoded(codec, [ROWS, COLS], bytes, trainable.places()))
    for (const [at, value] of after.entries()) {
      const scale = weight.scales[Math.floor(at / group)]
      const wanted = codes[at] + 0.7 * step
      const nearest = levels.toSorted((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0]
      expect(Math.abs(value - before[at] - (nearest - codes[at]) * scale)).toBeLessThan(1e-5 + 1e-3 * Math.abs(scale))
    }
    trainable.values.fill(1000)
    expect(new Set(trainable.places())).toEqual(new Set([levels.indexOf(Math.max(...levels))]))
  })

  it.each(codecs)('of %s have the gradient of their weights times the scale', async (codec) => {
    const { bytes, weight, trainable } = await open(codec)
    const x = noise(BATCH * COLS, 2)
    const seed = noise(BATCH * ROWS, 3)
    const session = await runtime().createSession(encodeModel(vjp(product(weight), { of: ['y'], wrt: ['x', ...trainable.wrt] })), { threads: 1 })
    const feeds = { ...weightFeeds('q', weight), ...trainable.feeds(), x: { type: 'float32' as const, dims: [BATCH, COLS], data: x }, [seedOf('y')]: { type: 'float32' as const, dims: [BATCH, ROWS], data: seed } }
    const wanted = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)))
    const result = await session.run(wanted, { [gradientOf('x')]: null, [gradientOf('q.codes')]: null })
    session.dispose()
    await trainable.pull({ 'q.codes': result[gradientOf('q.codes')].data as Float32Array })
    const dense = await decoded(codec, bytes)
    const group = dense.length / weight.scales.length
    for (const [at, found] of trainable.gradient.entries()) {
      const [row, col] = [Math.floor(at / COLS), at % COLS]
      let expected = 0
      for (let token = 0; token < BATCH; token++) expected += seed[token * ROWS + row] * x[token * COLS + col]
      expect(Math.abs(found - expected * weight.scales[Math.floor(at / group)] * (steps.get(codec) ?? 1))).toBeLessThan(TOLERANCE * (steps.get(codec) ?? 1))
    }
    const ofX = result[gradientOf('x')].data as Float32Array
    for (const [at, found] of ofX.entries()) {
      let expected = 0
      for (let row = 0; row < ROWS; row++) expected += seed[Math.floor(at / COLS) * ROWS + row] * dense[row * COLS + (at % COLS)]
      expect(Math.abs(found - expected)).toBeLessThan(TOLERANCE * 10)
    }
  })

  it.each(codecs)('of %s begin where the weights lie in their cells', async (codec) => {
    const { bytes, weight } = await open(codec)
    const dense = await decoded(codec, bytes)
    const group = dense.length / weight.scales.length
    const shifts = [0, 0.25, -0.375, 3].map((shift) => shift * (steps.has(codec) ? 0.2 : 1)) // in every cell of a table, but for the last
    const step = steps.get(codec) ?? 1
    const source = dense.map((value, at) => value + (at % 4 === 3 ? 3 : shifts[at % 4]) * step * weight.scales[Math.floor(at / group)])
    const trainable = codeTrainable('blocks.0.q', 0, 'q', codec, weight, { bytes, weights: source })
    if (trainable === null) throw new Error(`${codec} has no codes that can be trained`)
    for (const [at, value] of trainable.values.entries()) {
      if (weight.scales[Math.floor(at / group)] === 0) continue
      expect(Math.abs(value - (at % 4 === 3 ? 0 : shifts[at % 4]))).toBeLessThan(2e-3 * (steps.has(codec) ? 2 : 1))
    }
    expect(await recoded(codec, [ROWS, COLS], bytes, trainable.places())).toEqual(bytes)
  })

  it('are those of a table, or none', async () => {
    expect(codeLevels('IQ4_NL', COLS, await encoded('IQ4_NL'))).toEqual({ codes: [1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241], step: 16 })
    expect(codeLevels('F16', COLS, new Uint8Array(2 * COLS))).toBeNull()
  })
})
