/** @file Encoding: the plain recipes byte by byte, the searches against llama.cpp's and against brute force, hostile weights. */
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ggufTypes, type CodecName } from '../../electron/contract/options.ts'
import { kernels } from '../kernels.ts'
import { allNames, bits, codedNames, decoded, encoded, goldens, plainTypes, readTypes, weightsLike } from './codec-goldens.ts'
import { normals, uniform } from './random.ts'

/** What counts as no worse: the error of the same codes added up in another order. */
const SUMMING = 1 + 1e-6
/** Share of the least error by brute force that a search with a few tries may miss; one group in many falls into a neighbouring minimum. */
const NEAR_LEAST = 1.02

afterEach(() => {
  kernels().setSimd('auto')
})

describe('plain recipes', () => {
  const { weights, cols, blocks } = goldens.nearest
  it.each(ggufTypes.filter((type) => blocks[type]))('%s: bytes of the gguf package', async (type) => {
    const found = await encoded(type, { rows: weights.length / cols, cols }, weights, null, 'nearest')
    expect(found).toEqual(blocks[type])
  })
})

describe('search', () => {
  const { weights, importance, cols, errors } = goldens.search
  const shape = { rows: weights.length / cols, cols }
  async function error(codec: CodecName, method: 'nearest' | 'search'): Promise<number> {
    const found = await decoded(codec, shape, await encoded(codec, shape, weights, importance, method))
    let sum = 0
    for (let at = 0; at < weights.length; at += cols) sum += objective(weights.subarray(at, at + cols), found.subarray(at, at + cols), importance)
    return sum
  }

  it.each(ggufTypes.filter((type) => errors[type] !== undefined))('%s: weighted error no larger than llama.cpp’s', async (type) => {
    expect(await error(type, 'search')).toBeLessThanOrEqual((errors[type] ?? NaN) * SUMMING)
  })

  it.each(codedNames)('%s: less error than the plain recipe', async (codec) => {
    expect(await error(codec, 'search')).toBeLessThan(await error(codec, 'nearest'))
  })

  it.each([2, 3, 4] as const)('int%i symmetric: near the least error of any scale', async (bitCount) => {
    const group = normals(32, 40 + bitCount)
    const level = 2 ** (bitCount - 1)
    let least = Infinity
    for (let step = 1; step <= 4000; step++) {
      for (const scale of [step / 1000, -step / 1000]) {
        const rounded = group.map((x) => scale * Math.min(Math.max(Math.round(x / scale), -level), level - 1))
        least = Math.min(least, objective(group, rounded))
      }
    }
    const codec = `int${bitCount}-g32-sym` as const
    const found = await decoded(codec, { rows: 1, cols: 32 }, await encoded(codec, { rows: 1, cols: 32 }, group, null, 'search'))
    expect(objective(group, found)).toBeLessThan(least * NEAR_LEAST)
  })

  it.each([2, 3, 4] as const)('int%i with zero points: near the least error of any scale and zero point', async (bitCount) => {
    const group = normals(32, 50 + bitCount).map((value) => value + 0.8)
    const most = 2 ** bitCount - 1
    let least = Infinity
    for (let step = 1; step <= 4000; step++) {
      for (let zero = 0; zero <= most; zero++) {
        const rounded = group.map((x) => (step / 1000) * (Math.min(Math.max(Math.round(x / (step / 1000)) + zero, 0), most) - zero))
        least = Math.min(least, objective(group, rounded))
      }
    }
    const codec = `int${bitCount}-g32` as const
    const found = await decoded(codec, { rows: 1, cols: 32 }, await encoded(codec, { rows: 1, cols: 32 }, group, null, 'search'))
    expect(objective(group, found)).toBeLessThan(least * NEAR_LEAST)
  })
})

/** What the searches minimize over a row: the squared error at x counts importance·sqrt(mean square of the row + x²). */
function objective(x: Float32Array, y: Float32Array, importance: Float32Array | null = null): number {
  const sigma2 = x.reduce((sum, value) => sum + value * value, 0) / x.length
  return x.reduce((sum, value, i) => sum + (importance?.[i] ?? 1) * Math.sqrt(sigma2 + value * value) * (value - (y[i] ?? NaN)) ** 2, 0)
}

describe('every codec', () => {
  const shapes = [{ rows: 1, cols: 256 }, { rows: 9, cols: 768 }]

  it.each(allNames)('%s: the same bytes from scalar and vector kernels, special values included', async (codec) => {
    for (const shape of shapes) {
      const weights = hostile(weightsLike(shape, 3), shape.cols)
      const importance = normals(shape.cols, 4).map((value, j) => ([NaN, -1, Infinity, 0][j % 40] ?? Math.exp(value)))
      for (const method of ['nearest', 'search'] as const) {
        for (const given of [null, importance]) {
          kernels().setSimd('scalar')
          const plain = await encoded(codec, shape, weights, given, method)
          const plainValues = await decoded(codec, shape, plain)
          for (const set of kernels().simdSets()) {
            kernels().setSimd(set)
            expect(await encoded(codec, shape, weights, given, method), set).toEqual(plain)
            expect(bits(await decoded(codec, shape, plain)), set).toEqual(bits(plainValues))
          }
        }
      }
    }
  })

  it.each(codedNames)('%s: finite values from any weights, zeros from zeros', async (codec) => {
    const shape = { rows: 9, cols: 768 }
    const next = uniform(11)
    const anyBits = new Float32Array(new Uint32Array(shape.rows * shape.cols).map(() => Math.floor(next() * 2 ** 32)).buffer)
    for (const method of ['nearest', 'search'] as const) {
      for (const weights of [hostile(weightsLike(shape, 5), shape.cols), anyBits]) {
        const values = await decoded(codec, shape, await encoded(codec, shape, weights, null, method))
        expect(values.every((value) => Number.isFinite(value))).toBe(true)
      }
      const zeros = new Float32Array(shape.rows * shape.cols)
      expect((await decoded(codec, shape, await encoded(codec, shape, zeros, null, method))).every((value) => value === 0)).toBe(true)
    }
  })

  it.each(codedNames)('%s: the same bytes with one thread and with several', async (codec) => {
    const shape = { rows: 70, cols: 1024 }
    const weights = weightsLike(shape, 6)
    kernels().setThreads(3)
    const several = await encoded(codec, shape, weights, null, 'search')
    kernels().setThreads(1)
    const one = await encoded(codec, shape, weights, null, 'search')
    kernels().setThreads(2)
    expect(one).toEqual(several)
  })

  it('codes a row of a block by itself as it does among others', async () => {
    const shape = { rows: 11, cols: 200 }
    const weights = weightsLike(shape, 8)
    const all = await encoded('int3-channel', shape, weights, null, 'search')
    const last = await encoded('int3-channel', { rows: 1, cols: 200 }, weights.slice(2000), null, 'search')
    expect(all.slice(-last.length)).toEqual(last)
  })

  it('rounds to 16-bit floats as IEEE 754 does', async () => {
    const weights = Float32Array.of(1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 2 ** -25 * 1.5, -(2 ** -14), 1e-30, -0, Infinity, NaN)
    const values = await decoded('F16', { rows: 1, cols: 12 }, await encoded('F16', { rows: 1, cols: 12 }, weights, null, 'nearest'))
    expect([...values]).toEqual([1, 1, 1 + 2 ** -9, 65504, Infinity, 0, 2 ** -24, -(2 ** -14), 0, -0, Infinity, NaN])
  })
})

/** Rows of special weights among the ordinary ones. */
function hostile(weights: Float32Array, cols: number): Float32Array {
  const special = [NaN, Infinity, -Infinity, 1e-42, -0, 3e38, -1e-30, 65504]
  return weights.map((value, i) => {
    const [row, col] = [Math.floor(i / cols), i % cols]
    if (row === 1) return 0
    if (row === 2) return 1.25
    if (row === 3) return value * 1e-7
    if (row === 4) return value * 1e8
    if (row === 5) return -Math.abs(value)
    if (row === 6) return col === 300 ? 100 : value
    return col % 37 === 5 ? special[col % special.length] ?? value : value
  })
}

describe('refusals', () => {
  const weights = new Float32Array(512)
  it('names what does not fit', () => {
    const k = kernels()
    expect(() => k.codecBytes('Q4_K', { rows: 2, cols: 100 })).toThrow('cols: found 100, expected a multiple of 256, the block of Q4_K')
    expect(() => k.codecBytes('F32', { rows: 2 ** 31 - 1, cols: 2 ** 31 - 1 })).toThrow('is too large')
    expect(() => k.codecBytes('Q4_0', { rows: 0, cols: 32 })).toThrow('rows: expected a whole number, 1 or more, found 0')
    expect(() => k.encode('Q4_0', { rows: 20, cols: 32 }, weights, null, 'search', new Uint8Array(1000))).toThrow('weights: has 512 elements, needs 640')
    expect(() => k.encode('Q4_0', { rows: 16, cols: 32 }, weights, new Float32Array(31), 'search', new Uint8Array(1000))).toThrow('importance: has 31 elements, needs 32')
    expect(() => k.encode('Q4_0', { rows: 16, cols: 32 }, weights, null, 'search', new Uint8Array(10))).toThrow('out: has 10 elements, needs 288')
    expect(() => k.decode('Q4_0', { rows: 16, cols: 32 }, new Uint8Array(287), weights)).toThrow('bytes: has 287 elements, needs 288')
  })
  it('has nothing for a name it does not know', () => {
    const unknown = z.custom<CodecName>().parse('Q9_K')
    expect(kernels().codecBlock(unknown)).toBeUndefined()
    expect(() => kernels().codecBytes(unknown, { rows: 1, cols: 256 })).toThrow('codec: "Q9_K" is not a storage format')
  })
  it.each(readTypes)('%s can be read, not written', (type) => {
    const name = z.custom<CodecName>().parse(type)
    expect(() => kernels().encode(name, { rows: 2, cols: 256 }, weights, null, 'nearest', new Uint8Array(1000))).toThrow(`codec: ${type} can be read, not written`)
  })
  it.each(plainTypes)('%s has no grid', (type) => {
    expect(() => kernels().codecGrid(type, 1, new Uint8Array(4))).toThrow('has no codes')
  })
})
