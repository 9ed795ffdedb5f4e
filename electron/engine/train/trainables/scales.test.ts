import { describe, expect, it } from 'vitest'
import { kernels } from '../../../../kernels/kernels.ts'
import { runtime } from '../../../../kernels/runtime.ts'
import type { CodecName } from '../../../contract/options.ts'
import { gradientOf, seedOf, vjp } from '../../autodiff/vjp.ts'
import { encodeModel } from '../../graph/encode.ts'
import { rescaled, storedScales } from '../base/stored-scales.ts'
import { weightFeeds, type PackedWeight } from '../base/weight.ts'
import { codeTrainable } from './codes.ts'
import { factorsOf, scaleTrainable, type ScaleTrainable } from './scales.ts'
import { BATCH, COLS, decoded, encoded, noise, packed, product, ROWS, TOLERANCE } from './testing.ts'

/** Factors reach the weights through half-precision scales: relative rounding of a half. */
const HALF = 2 ** -11

const codecs = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_1', 'IQ4_XS', 'IQ4_NL', 'TQ2_0', 'TQ1_0', 'int2-g64', 'int3-g32-sym', 'int4-channel', 'int8-g128'] as const

async function open(codec: CodecName): Promise<{ bytes: Uint8Array; weight: PackedWeight; trainable: ScaleTrainable }> {
  const bytes = await encoded(codec)
  const weight = await packed(codec, bytes)
  const trainable = scaleTrainable('blocks.0.q', 0, 'q', codec, weight)
  if (trainable === null) throw new Error(`${codec} has no scales`)
  return { bytes, weight, trainable }
}

describe('trained scales', () => {
  it.each(codecs)('of %s are stored as the factors say', async (codec) => {
    const { bytes, trainable } = await open(codec)
    const halves = storedScales(codec)?.places.length ?? 0
    expect(await rescaled(codec, [ROWS, COLS], bytes, factorsOf(trainable.values))).toEqual(bytes)
    const doubled = await decoded(codec, await rescaled(codec, [ROWS, COLS], bytes, new Float32Array(trainable.values.length).fill(2)))
    expect(doubled).toEqual((await decoded(codec, bytes)).map((value) => 2 * value))
    expect(trainable.values).toHaveLength(bytes.length / (kernels().codecBytes(codec, { rows: 1, cols: kernels().codecBlock(codec) || COLS })) * halves)
  })

  it.each(codecs)('of %s enter the product as they will be stored, and get the gradient of differences', async (codec) => {
    const { bytes, weight, trainable } = await open(codec)
    trainable.values.set(noise(trainable.values.length, 2).map((value) => value / 8))
    trainable.refresh()
    const x = noise(BATCH * COLS, 3)
    const seed = noise(BATCH * ROWS, 4)
    const session = await runtime().createSession(encodeModel(vjp(product(weight), { of: ['y'], wrt: [...trainable.wrt], keep: ['y'] })), { threads: 1 })
    const fixed = { ...weightFeeds('q', weight), x: { type: 'float32', dims: [BATCH, COLS], data: x }, [seedOf('y')]: { type: 'float32', dims: [BATCH, ROWS], data: seed } } as const
    const outputs = Object.fromEntries(session.outputNames.map((name) => [name, null]))
    const run = async (): Promise<Record<string, Float32Array>> => Object.fromEntries(Object.entries(await session.run({ ...fixed, ...trainable.feeds() }, outputs)).map(([name, { data }]) => [name, data instanceof Float32Array ? data : new Float32Array()]))
    const loss = async (): Promise<number> => ((await run()).y ?? []).reduce((sum, value, at) => sum + value * (seed[at] ?? NaN), 0)

    const first = await run()
    const stored = await decoded(codec, await rescaled(codec, [ROWS, COLS], bytes, factorsOf(trainable.values)))
    const found = first.y ?? new Float32Array()
    for (let row = 0; row < BATCH; row++) {
      for (let out = 0; out < ROWS; out++) {
        let sum = 0
        let magnitude = 0
        for (let k = 0; k < COLS; k++) {
          sum += (x[row * COLS + k] ?? NaN) * (stored[out * COLS + k] ?? NaN)
          magnitude += Math.abs((x[row * COLS + k] ?? NaN) * (stored[out * COLS + k] ?? NaN))
        }
        expect(Math.abs((found[row * ROWS + out] ?? NaN) - sum)).toBeLessThan(4 * HALF * magnitude)
      }
    }

    await trainable.pull(Object.fromEntries(trainable.wrt.map((name) => [name, first[gradientOf(name)] ?? new Float32Array()])))
    const largest = trainable.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const step = 2 ** -6 // the product is bilinear in the factors: differences are exact but for rounding
    for (const at of [0, 1, trainable.values.length - 1]) {
      const middle = trainable.values[at] ?? NaN
      trainable.values[at] = middle + step
      trainable.refresh()
      const above = await loss()
      trainable.values[at] = middle - step
      trainable.refresh()
      const below = await loss()
      trainable.values[at] = middle
      expect(Math.abs((above - below) / (2 * step) - (trainable.gradient[at] ?? NaN))).toBeLessThan(TOLERANCE * Math.max(largest, 1) / step / 8)
    }
    session.dispose()
  })

  it.each(codecs)('of %s get the same gradient from that of the weights, where codes are trained beside them', async (codec) => {
    const { bytes, weight, trainable: alone } = await open(codec)
    const codes = codeTrainable('blocks.0.q', 0, 'q', codec, weight, { bytes })
    const beside = codes && scaleTrainable('blocks.0.q', 0, 'q', codec, weight, codes.groups)
    if (codes === null || beside === null) throw new Error(`${codec} has no scales or codes`)
    codes.values.set(noise(codes.values.length, 5).map((value) => 2 * value))
    await codes.refresh()
    for (const trainable of [alone, beside]) {
      trainable.values.set(noise(trainable.values.length, 2).map((value) => value / 8))
      trainable.refresh()
    }
    const session = await runtime().createSession(encodeModel(vjp(product(weight), { of: ['y'], wrt: [...alone.wrt, ...codes.wrt] })), { threads: 1 })
    const found = await session.run({ ...weightFeeds('q', weight), ...alone.feeds(), ...codes.feeds(), x: { type: 'float32', dims: [BATCH, COLS], data: noise(BATCH * COLS, 3) }, [seedOf('y')]: { type: 'float32', dims: [BATCH, ROWS], data: noise(BATCH * ROWS, 4) } }, Object.fromEntries(session.outputNames.map((name) => [name, null])))
    const gradients = Object.fromEntries([...alone.wrt, ...codes.wrt].map((name) => [name, found[gradientOf(name)].data as Float32Array]))
    session.dispose()
    await alone.pull(gradients)
    await codes.pull(gradients)
    await beside.pull({})
    expect(beside.wrt).toEqual([])
    const largest = alone.gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    for (const [at, value] of alone.gradient.entries()) expect(Math.abs(beside.gradient[at] - value)).toBeLessThan(TOLERANCE * Math.max(largest, 1))
  })

  it('do not exist where scales are powers of two, or where there are none', () => {
    expect(storedScales('MXFP4')).toBeNull()
    expect(storedScales('F16')).toBeNull()
  })
})
