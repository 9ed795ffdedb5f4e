import { describe, expect, it } from 'vitest'
import { ggufTypes, type CodecName } from '../../electron/contract/options.ts'
import { kernels } from '../kernels.ts'
import { noise } from './packed-weights.ts'

const ROWS = 5
const COLS = 512
/** scale · (code − zero) rounds once more than decoding does. */
const TOLERANCE = 1e-6

const ints = ([2, 3, 4, 8] as const).flatMap((bits) => ([32, 64, 128, 'channel'] as const).flatMap((group): CodecName[] => {
  const name = group === 'channel' ? `int${bits}-channel` as const : `int${bits}-g${group}` as const
  return [name, `${name}-sym`]
}))
const coded = [...ggufTypes.filter((type) => !['F32', 'F16', 'BF16'].includes(type)), ...ints]

interface Planes { readonly values: Float64Array; readonly codes: Uint8Array; readonly bits: number }

/** Planes read back by the definition of QMatMul's inputs. */
async function planesOf(codec: CodecName, bytes: Uint8Array, cols: number): Promise<Planes> {
  const format = kernels().planeFormat(codec)
  if (!format) throw new Error(`${codec} has no planes`)
  const { bits, zeros: hasZeros } = format
  const group = format.group || cols
  const rowBytes = Math.ceil(cols * bits / 8)
  const codes = new Uint8Array(ROWS * rowBytes)
  const scales = new Float32Array(ROWS * cols / group)
  const zeros = hasZeros ? new Float32Array(scales.length) : null
  await kernels().planes(codec, { rows: ROWS, cols }, bytes, codes, scales, zeros)
  const values = Float64Array.from({ length: ROWS * cols }, (_, i) => {
    const [row, col] = [Math.floor(i / cols), i % cols]
    let code = 0
    for (let bit = 0; bit < bits; bit++) {
      const at = col * bits + bit
      code |= ((codes[row * rowBytes + (at >> 3)] ?? 0) >> (at & 7) & 1) << bit
    }
    const part = row * (cols / group) + Math.floor(col / group)
    return (scales[part] ?? NaN) * (code - (zeros?.[part] ?? 2 ** (bits - 1)))
  })
  return { values, codes, bits }
}

async function check(codec: CodecName, weights: Float32Array, cols: number): Promise<void> {
  const shape = { rows: ROWS, cols }
  const bytes = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, weights, null, 'search', bytes)
  const expected = new Float32Array(weights.length)
  await kernels().decode(codec, shape, bytes, expected)
  const { values } = await planesOf(codec, bytes, cols)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (values[i] ?? NaN))), 0)
  expect(worst).toBeLessThanOrEqual(TOLERANCE * largest)
}

describe('planes', () => {
  it.each(coded)('of %s hold the values that decoding gives', async (codec) => {
    await check(codec, noise(ROWS * COLS, 3), COLS)
  })

  it.each(coded)('of %s hold rows of one value, of zeros, and of values far from zero', async (codec) => {
    await check(codec, Float32Array.from({ length: ROWS * COLS }, (_, i) => [0.75, 0, -2, 100 + (i % 7) / 8, i % 2 ? 1e-6 : -1e-6][Math.floor(i / COLS)] ?? 0), COLS)
  })

  it.each(['int3-channel', 'int2-channel-sym', 'int4-channel'] as const)('of %s end rows at a whole byte', async (codec) => {
    await check(codec, noise(ROWS * 83, 5), 83)
  })

  it('keep the codes of the group-wise integers as they are stored', async () => {
    const bytes = new Uint8Array(ROWS * 8 * 19)
    for (let block = 0; block < ROWS * 8; block++) bytes.set([0x00, 0x3c, 2, ...Array.from({ length: 16 }, (_, i) => (block * 31 + i * 17) % 256)], block * 19)
    const { codes } = await planesOf('int2-g64', bytes, COLS)
    expect(codes).toEqual(bytes.filter((_, i) => i % 19 >= 3))
  })

  it('have a format for what has codes, and none for what has not', () => {
    expect(kernels().planeFormat('Q2_K')).toEqual({ bits: 2, group: 16, zeros: true })
    expect(kernels().planeFormat('Q3_K')).toEqual({ bits: 3, group: 16, zeros: false })
    expect(kernels().planeFormat('Q6_K')).toEqual({ bits: 8, group: 16, zeros: false })
    expect(kernels().planeFormat('int4-channel')).toEqual({ bits: 4, group: 0, zeros: true })
    expect(kernels().planeFormat('F16')).toBeUndefined()
  })
})
