import { afterEach, describe, expect, it } from 'vitest'
import type { CodecName, GgufType, IntName } from '../../electron/contract/options.ts'
import { kernels, type GptqOptions, type Shape } from '../kernels.ts'
import golden from './goldens/gptq.json' with { type: 'json' }
import { correlatedInputs, normals } from './random.ts'

const halftone = kernels()

/** One of each kind: super-blocks with and without minima, single scales of either sort, tables of levels, powers of two, whole rows. */
const gguf: readonly GgufType[] = ['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K', 'IQ4_XS', 'Q4_0', 'Q4_1', 'Q5_0', 'Q8_0', 'IQ4_NL', 'MXFP4', 'TQ1_0', 'TQ2_0']
const integers: readonly IntName[] = ['int2-g32', 'int2-g128-sym', 'int3-g64', 'int4-g32', 'int4-g64-sym', 'int8-g128', 'int3-channel', 'int4-channel-sym']
const codecs: readonly CodecName[] = [...gguf, ...integers]

/** Share of equal values: sums in float may round a weight halfway between two values the other way, and its row follows. */
const closeRows = 0.9

interface Layer { readonly shape: Shape; readonly weights: Float32Array; readonly hessian: Float64Array; readonly factor: Float32Array; readonly importance: Float32Array }

async function gramOf(x: Float32Array, tokens: number, cols: number): Promise<Float64Array> {
  const hessian = new Float64Array(cols * cols)
  await halftone.accumulate(x, tokens, cols, hessian, new Float64Array(cols), new Float32Array(cols))
  return hessian
}

function weightsOf({ rows, cols }: Shape, seed: number): Float32Array {
  return normals(rows * cols, seed).map((value) => 0.02 * value)
}

async function layerOf(rows: number, cols: number, { tokens = 2 * cols, seed = 1, damp = 0.01 } = {}): Promise<Layer> {
  const hessian = await gramOf(correlatedInputs(tokens, cols, seed), tokens, cols)
  const factor = new Float32Array(cols * cols)
  await halftone.inverseFactor(hessian, cols, damp, factor)
  const importance = Float32Array.from({ length: cols }, (_, j) => (hessian[j * cols + j] ?? 0) / tokens)
  return { shape: { rows, cols }, weights: weightsOf({ rows, cols }, seed), hessian, factor, importance }
}

async function run(codec: CodecName, { shape, weights, factor, importance }: Layer, options: GptqOptions) {
  const bytes = new Uint8Array(halftone.codecBytes(codec, shape))
  await halftone.gptq(codec, shape, weights, factor, importance, options, bytes)
  return bytes
}

async function encode(codec: CodecName, { shape, weights, importance }: Layer, fit: 'nearest' | 'search' = 'search') {
  const bytes = new Uint8Array(halftone.codecBytes(codec, shape))
  await halftone.encode(codec, shape, weights, importance, fit, bytes)
  return bytes
}

async function decode(codec: CodecName, shape: Shape, bytes: Uint8Array) {
  const values = new Float32Array(shape.rows * shape.cols)
  await halftone.decode(codec, shape, bytes, values)
  return values
}

async function lossOf(codec: CodecName, { shape, weights, hessian }: Layer, bytes: Uint8Array) {
  return halftone.outputError(weights, await decode(codec, shape, bytes), shape, hessian)
}

function shareEqual(a: Float32Array, b: Float32Array): number {
  return a.reduce((count, value, index) => count + (value === b[index] ? 1 : 0), 0) / a.length
}

function referenceOf(codec: CodecName, { shape, weights, factor, importance }: Layer, options: GptqOptions): Uint8Array {
  const bytes = new Uint8Array(halftone.codecBytes(codec, shape))
  halftone.reference.gptq(codec, shape, weights, factor, importance, options, bytes)
  return bytes
}

afterEach(() => {
  halftone.setSimd('auto')
  halftone.setThreads(2)
})

describe('error feedback alone', () => {
  it.each(codecs)('%s: with H = I it is encode, byte for byte', async (codec) => {
    for (const rows of [1, 3, 17]) {
      const shape = { rows, cols: 512 }
      const importance = normals(512, 9).map(Math.abs)
      const layer = { shape, weights: weightsOf(shape, rows), hessian: identity(512), factor: Float32Array.from(identity(512)), importance }
      expect(await run(codec, layer, { improve: false })).toEqual(await encode(codec, layer))
    }
  })

  it.each([1, 7, 33])('%i rows of every codec agree with the definition', async (rows) => {
    const layer = await layerOf(rows, 512, { seed: rows })
    for (const codec of codecs) {
      const options = { improve: false, staticGroups: true }
      const [found, expected] = [await run(codec, layer, options), referenceOf(codec, layer, options)]
      expect(shareEqual(await decode(codec, layer.shape, found), await decode(codec, layer.shape, expected)), codec).toBeGreaterThan(closeRows)
    }
  })

  it.each(codecs)('%s: fitted to corrected weights, it loses what the definition loses', async (codec) => {
    const layer = await layerOf(48, 512)
    const ratio = await lossOf(codec, layer, await run(codec, layer, { improve: false })) / await lossOf(codec, layer, referenceOf(codec, layer, {}))
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05) // a fit may take another local minimum for weights that differ in the last bit
  })

  it.each([32, 96, 288, 544])('%i columns, not a multiple of the super-block, agree with the definition', async (cols) => {
    const layer = await layerOf(9, cols)
    for (const codec of ['int4-g32', 'Q4_0', 'int3-channel'] as const) {
      const [found, expected] = [await run(codec, layer, { improve: false }), referenceOf(codec, layer, {})]
      expect(shareEqual(await decode(codec, layer.shape, found), await decode(codec, layer.shape, expected)), codec).toBeGreaterThan(closeRows)
    }
  })

  it('rows of a single column, and channels of odd width', async () => {
    for (const cols of [1, 2, 3, 7, 31, 33, 129]) {
      const layer = await layerOf(5, cols, { tokens: 2 * cols + 8 })
      const [found, expected] = [await run('int4-channel', layer, { improve: false }), referenceOf('int4-channel', layer, {})]
      expect(shareEqual(await decode('int4-channel', layer.shape, found), await decode('int4-channel', layer.shape, expected)), String(cols)).toBeGreaterThan(closeRows)
    }
  })

  it('agrees with an independent implementation', async () => {
    for (const { codec, rows, cols, weights, factor, expected } of golden.cases) {
      const layer = { ...(await layerOf(rows, cols)), weights: Float32Array.from(weights), factor: Float32Array.from(factor) }
      const found = await run(codec as CodecName, layer, { improve: false, fit: 'nearest', staticGroups: true })
      expect([...(await decode(codec as CodecName, layer.shape, found))], codec).toEqual([...Float32Array.from(expected)])
    }
  })

  it('static groups keep the parameters of encode', async () => {
    const layer = await layerOf(3, 256)
    const [fixed, fitted, plain] = [await run('int4-g64', layer, { improve: false, staticGroups: true }), await run('int4-g64', layer, { improve: false }), await encode('int4-g64', layer)]
    const parameters = (bytes: Uint8Array) => bytes.filter((_, index) => index % 35 < 3) // half scale, zero, 32 bytes of codes
    expect(parameters(fixed)).toEqual(parameters(plain))
    expect(parameters(fitted)).not.toEqual(parameters(plain))
    expect(fixed).not.toEqual(plain)
  })

  it('gives the same bytes on every instruction set where no product is summed', async () => {
    const layer = await layerOf(19, 256)
    for (const codec of codecs) {
      halftone.setSimd('scalar')
      const plain = await run(codec, layer, { improve: false })
      for (const set of halftone.simdSets()) {
        halftone.setSimd(set)
        expect(await run(codec, layer, { improve: false }), `${codec}, ${set}`).toEqual(plain)
      }
    }
  })
})

describe('loss', () => {
  it.each(codecs)('%s: search, feedback, improvement and sweeps each lose less than the one before', async (codec) => {
    const layer = await layerOf(24, 512, { seed: 7 })
    const searched = await lossOf(codec, layer, await encode(codec, layer))
    const fed = await lossOf(codec, layer, await run(codec, layer, { improve: false }))
    const improved = await lossOf(codec, layer, await run(codec, layer, {}))
    const swept = await lossOf(codec, layer, await run(codec, layer, { hessian: layer.hessian, sweeps: 2 }))
    expect(searched).toBeLessThan(await lossOf(codec, layer, await encode(codec, layer, 'nearest')))
    expect(fed).toBeLessThan(searched)
    expect(improved).toBeLessThan(fed)
    expect(swept).toBeLessThan(improved)
  })

  it('improvement is the same on every instruction set, up to sums in another order', async () => {
    const layer = await layerOf(24, 512, { seed: 8 })
    for (const codec of ['Q3_K', 'Q4_K', 'IQ4_NL', 'int3-g64'] as const) {
      halftone.setSimd('scalar')
      const plain = await lossOf(codec, layer, await run(codec, layer, { hessian: layer.hessian }))
      for (const set of halftone.simdSets()) {
        halftone.setSimd(set)
        const found = await lossOf(codec, layer, await run(codec, layer, { hessian: layer.hessian }))
        expect(Math.abs(found / plain - 1), `${codec}, ${set}`).toBeLessThan(0.01)
      }
    }
  })

  it('with fewer tokens than columns, GPTQ loses less than search', async () => {
    const layer = await layerOf(16, 512, { tokens: 64 })
    for (const codec of ['Q3_K', 'int4-g128'] as const) {
      expect(await lossOf(codec, layer, await run(codec, layer, { hessian: layer.hessian })), codec).toBeLessThan(0.5 * await lossOf(codec, layer, await encode(codec, layer)))
    }
  })

  it('dead columns lose nothing and disturb nobody', async () => {
    const [rows, cols, tokens] = [8, 256, 400]
    const x = correlatedInputs(tokens, cols, 3).map((value, index) => (index % cols % 5 === 2 ? 0 : value))
    const [hessian, factor] = [await gramOf(x, tokens, cols), new Float32Array(cols * cols)]
    await halftone.inverseFactor(hessian, cols, 0.01, factor)
    const layer = { ...(await layerOf(rows, cols)), hessian, factor }
    const bytes = await run('int4-g64', layer, { hessian })
    const values = await decode('int4-g64', layer.shape, bytes)
    expect(values.every((value) => Math.abs(value) < 0.2)).toBe(true) // ten standard deviations
    expect(await lossOf('int4-g64', layer, bytes)).toBeLessThan(await lossOf('int4-g64', layer, await encode('int4-g64', layer)))
  })
})

describe('borders', () => {
  it('gives the same bytes for any number of threads', async () => {
    const layer = await layerOf(67, 544)
    const results: Uint8Array[] = []
    for (const threads of [1, 2, 5]) {
      halftone.setThreads(threads)
      results.push(await run('int3-g32', layer, { hessian: layer.hessian }))
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('does not depend on the other rows', async () => {
    const layer = await layerOf(35, 256)
    const all = await run('Q4_K', layer, {})
    const last = { ...layer, shape: { rows: 3, cols: 256 }, weights: layer.weights.subarray(32 * 256) }
    expect(await run('Q4_K', last, {})).toEqual(all.subarray(32 * 144))
  })

  it('leaves the weights as they are', async () => {
    const layer = await layerOf(4, 256)
    const before = layer.weights.slice()
    await run('Q4_K', layer, { hessian: layer.hessian })
    expect(layer.weights).toEqual(before)
  })

  it('codes formats without codes as encode does', async () => {
    const layer = await layerOf(3, 32)
    expect(await run('F16', layer, {})).toEqual(await encode('F16', layer))
  })

  it('takes rows of zeros', async () => {
    const layer = { ...(await layerOf(4, 256)), weights: new Float32Array(4 * 256) }
    for (const codec of codecs) {
      expect((await decode(codec, layer.shape, await run(codec, layer, { hessian: layer.hessian }))).every((value) => value === 0), codec).toBe(true)
    }
  })

  it('refuses weights, factors and Hessians that are not finite, and says where', async () => {
    const layer = await layerOf(4, 32)
    const weights = layer.weights.slice()
    weights[2 * 32 + 5] = Infinity
    await expect(run('Q4_0', { ...layer, weights }, {})).rejects.toThrow('gptq: weight [2, 5] is not finite')
    const factor = layer.factor.slice()
    factor[3] = NaN
    await expect(run('Q4_0', { ...layer, factor }, {})).rejects.toThrow('gptq: factor [0, 3] is not finite')
    await expect(run('Q4_0', { ...layer, factor: new Float32Array(32 * 32) }, {})).rejects.toThrow('diagonal element 0 of the factor is not positive')
    await expect(run('Q4_0', layer, { hessian: new Float64Array(32 * 32).fill(NaN) })).rejects.toThrow('the diagonal of the layer Hessian is not finite')
  })

  it('refuses shapes that do not fit', async () => {
    const layer = await layerOf(4, 32)
    expect(() => halftone.gptq('Q4_0', { rows: 4, cols: 48 }, layer.weights, layer.factor, null, {}, new Uint8Array(1000))).toThrow(/48 columns are not a multiple of Q4_0's block of 32/)
    expect(() => halftone.gptq('Q4_0', layer.shape, layer.weights, layer.factor, null, {}, new Uint8Array(10))).toThrow(/out: has 10 elements, needs 72/)
    expect(() => halftone.gptq('Q4_0', layer.shape, layer.weights, layer.factor, null, { sweeps: -1 }, new Uint8Array(72))).toThrow(/sweeps: expected a whole number/)
  })
})

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, index) => (index % (n + 1) === 0 ? 1 : 0))
}
