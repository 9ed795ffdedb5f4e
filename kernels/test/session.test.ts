import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DataType, SessionOptions, Tensor } from '../kernels.ts'
import { runtime } from '../runtime.ts'
import { float32, model } from './models.ts'

function session(write: Parameters<typeof model>[0], options?: SessionOptions) {
  return runtime().createSession(model(write), options)
}

/** y = x·2 over [n] of the type given. */
function doubling(type: DataType) {
  return session((b) => b.output(b.one('Add', [b.input('x', type, ['n']), 'x'], {}, { outputs: ['y'] }), type, ['n']))
}

/** y = relu(x + 1 + 1 + …): one Loop that only cancelling ends in reasonable time. */
function endless() {
  const body = {
    name: 'body', opset: {}, initializers: new Map(), values: new Map(), metadata: {},
    inputs: [{ name: 'i', type: 'int64', shape: [] }, { name: 'go', type: 'bool', shape: [] }, { name: 'state', type: 'float32', shape: [1] }],
    outputs: [{ name: 'go_on', type: 'bool', shape: [] }, { name: 'next', type: 'float32', shape: [1] }],
    nodes: [
      { op: 'Identity', domain: '', name: 'a', inputs: ['go'], outputs: ['go_on'], attributes: {} },
      { op: 'Add', domain: '', name: 'b', inputs: ['state', 'state'], outputs: ['next'], attributes: {} },
    ],
  } as const
  return session((b) => b.output(b.one('Loop', [b.input('times', 'int64', []), '', b.input('x', 'float32', [1])], { body: { graph: body } }, { outputs: ['y'] }), 'float32', [1]))
}
const endlessFeeds = { times: { type: 'int64', dims: [], data: BigInt64Array.of(1n << 60n) }, x: float32([1], [1]) } as const

// Four elements of each type, and their values by the type's definition.
const encodings: readonly (readonly [DataType, Tensor['data'], readonly number[]])[] = [
  ['float32', Float32Array.of(-1.5, 0, 2, 3e38), [-1.5, 0, 2, Math.fround(3e38)]],
  ['float64', Float64Array.of(-1.5, 0, 2, 0.1), [-1.5, 0, 2, Math.fround(0.1)]],
  ['float16', Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x0001), [1, -2, 0.333251953125, 2 ** -24]],
  ['bfloat16', Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x0080), [1, -2, 3.140625, 2 ** -126]],
  ['int8', Int8Array.of(-128, -1, 0, 127), [-128, -1, 0, 127]],
  ['uint8', Uint8Array.of(0, 1, 128, 255), [0, 1, 128, 255]],
  ['int16', Int16Array.of(-32768, -1, 0, 32767), [-32768, -1, 0, 32767]],
  ['uint16', Uint16Array.of(0, 1, 32768, 65535), [0, 1, 32768, 65535]],
  ['int32', Int32Array.of(-(2 ** 31), -1, 0, 2 ** 24), [-(2 ** 31), -1, 0, 2 ** 24]],
  ['uint32', Uint32Array.of(0, 1, 2 ** 31, 2 ** 24), [0, 1, 2 ** 31, 2 ** 24]],
  ['int64', BigInt64Array.of(-(1n << 62n), -1n, 0n, 7n), [-(2 ** 62), -1, 0, 7]],
  ['uint64', BigUint64Array.of(0n, 1n, 1n << 63n, 7n), [0, 1, 2 ** 63, 7]],
  ['bool', Uint8Array.of(0, 1, 1, 0), [0, 1, 1, 0]],
  ['float8e4m3fn', Uint8Array.of(0x38, 0xc0, 0x7e, 0x01), [1, -2, 448, 2 ** -9]],
  ['float8e4m3fnuz', Uint8Array.of(0x40, 0xc8, 0x7f, 0x01), [1, -2, 240, 2 ** -10]],
  ['float8e5m2', Uint8Array.of(0x3c, 0xc0, 0x7b, 0x01), [1, -2, 57344, 2 ** -16]],
  ['float8e5m2fnuz', Uint8Array.of(0x40, 0xc4, 0x7f, 0x01), [1, -2, 57344, 2 ** -17]],
  ['float8e8m0', Uint8Array.of(127, 128, 120, 254), [1, 2, 2 ** -7, 2 ** 127]],
  ['uint4', Uint8Array.of(0xf0, 0x81), [0, 15, 1, 8]],
  ['int4', Uint8Array.of(0xf0, 0x81), [0, -1, 1, -8]],
  ['uint2', Uint8Array.of(0b11_10_01_00), [0, 1, 2, 3]],
  ['int2', Uint8Array.of(0b11_10_01_00), [0, 1, -2, -1]],
]

describe('tensors', () => {
  it.each(encodings)('passes %s in and means the same by it as ONNX does', async (type, data, values) => {
    const cast = await session((b) => b.output(b.one('Cast', [b.input('x', type, [4])], { to: { int: 1 } }, { outputs: ['y'] }), 'float32', [4]))
    const { y } = await cast.run({ x: { type, dims: [4], data } }, { y: null })
    expect(y).toEqual(float32([4], values))
  })

  it.each(encodings.filter(([type]) => type !== 'float8e8m0'))('takes %s out', async (type, data, values) => {
    const cast = await session((b) => b.output(b.one('Cast', [b.input('x', type === 'uint64' ? 'uint64' : 'float64', [4])], { to: { int: typeNumber(type) } }, { outputs: ['y'] }), type, [4]))
    const x: Tensor = type === 'uint64' ? { type, dims: [4], data } : { type: 'float64', dims: [4], data: data instanceof Float64Array ? data : Float64Array.from(values) }
    expect((await cast.run({ x }, { y: null })).y).toEqual({ type, dims: [4], data })
  })

  it('keeps scalars, empty dimensions and odd packed lengths', async () => {
    const concat = await session((b) => b.output(b.one('Concat', [b.input('past', 'float32', [2, 'p', 3]), b.input('x', 'float32', [2, 1, 3])], { axis: { int: 1 } }, { outputs: ['y'] }), 'float32', [2, 'n', 3]))
    const x = float32([2, 1, 3], [1, 2, 3, 4, 5, 6])
    expect((await concat.run({ past: float32([2, 0, 3], []), x }, { y: null })).y).toEqual(x)

    const twice = await session((b) => b.output(b.one('Add', [b.input('x', 'float64', []), 'x'], {}, { outputs: ['y'] }), 'float64', []))
    expect((await twice.run({ x: { type: 'float64', dims: [], data: Float64Array.of(0.1) } }, { y: null })).y).toEqual({ type: 'float64', dims: [], data: Float64Array.of(0.2) })

    const packed = await session((b) => b.output(b.one('Cast', [b.input('x', 'int4', [3])], { to: { int: 1 } }, { outputs: ['y'] }), 'float32', [3]))
    expect((await packed.run({ x: { type: 'int4', dims: [3], data: Uint8Array.of(0x21, 0x0f) } }, { y: null })).y).toEqual(float32([3], [1, 2, -1]))

    const empty = await doubling('float32')
    expect((await empty.run({ x: float32([0], []) }, { y: null })).y).toEqual(float32([0], []))
  })

  it('reads a view into a larger buffer', async () => {
    const twice = await doubling('float32')
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3)
    expect((await twice.run({ x: { type: 'float32', dims: [2], data } }, { y: null })).y).toEqual(float32([2], [2, 4]))
  })

  it('writes outputs in place where a tensor is given, and copies large ones', async () => {
    const count = 1 << 19 // 2 MiB: copied on a worker thread
    const both = await session((b) => {
      const x = b.input('x', 'float32', ['n'])
      b.output(b.one('Add', [x, x], {}, { outputs: ['twice'] }), 'float32', ['n'])
      b.output(b.one('Neg', [x], {}, { outputs: ['minus'] }), 'float32', ['n'])
    })
    const twice = float32([count], new Float32Array(count))
    const x = float32([count], Float32Array.from({ length: count }, (_, i) => i))
    const result = await both.run({ x }, { twice, minus: null })
    expect(result.twice).toBe(twice)
    expect(twice.data.every((value, i) => value === 2 * i)).toBe(true)
    expect(result.minus?.data.length).toBe(count)
    expect((result.minus?.data as Float32Array).every((value, i) => value === -i)).toBe(true)
  })

  it('uses initializers in the memory they are given in', async () => {
    const weight = float32([2], [10, 20])
    const scaled = await session((b) => {
      const w = b.initializer({ name: 'w', type: 'float32', dims: [2], data: new Uint8Array(0) })
      b.output(b.one('Mul', [b.input('x', 'float32', [2]), w], {}, { outputs: ['y'] }), 'float32', [2])
    }, { initializers: { w: weight } })
    expect(scaled.inputNames).toEqual(['x'])
    const x = float32([2], [1, 2])
    expect((await scaled.run({ x }, { y: null })).y?.data).toEqual(Float32Array.of(10, 40))
    weight.data[0] = -1
    expect((await scaled.run({ x }, { y: null })).y?.data).toEqual(Float32Array.of(-1, 40))
  })
})

function typeNumber(type: DataType): number {
  return { float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11, uint32: 12, uint64: 13, complex64: 14, complex128: 15, bfloat16: 16,
    float8e4m3fn: 17, float8e4m3fnuz: 18, float8e5m2: 19, float8e5m2fnuz: 20, uint4: 21, int4: 22, float4e2m1: 23, float8e8m0: 24, uint2: 25, int2: 26, undefined: 0 }[type]
}

describe('errors say where, what was found and what was expected', () => {
  const x = float32([2], [1, 2])
  const y = null
  const wrong: readonly (readonly [string, Record<string, Tensor>, Record<string, Tensor | null>, RegExp])[] = [
    ['unknown input', { x, z: x }, { y }, /the model has no input 'z'; it has: x$/],
    ['missing input', {}, { y }, /input 'x' is missing; the model needs: x$/],
    ['unknown output', { x }, { w: null }, /the model has no output 'w'; it has: y$/],
    ['another type', { x: { type: 'int32', dims: [2], data: Int32Array.of(1, 2) } }, { y }, /input 'x' is given as int32, the model has float32$/],
    ['another type of a place', { x }, { y: { type: 'float64', dims: [2], data: new Float64Array(2) } }, /output 'y' is given as float64, the model has float32$/],
    ['data that does not fill the shape', { x: { type: 'float32', dims: [2, 3], data: new Float32Array(5) } }, { y }, /input 'x': `data` has 20 bytes, \[2, 3\] of float32 needs 24$/],
    ['an array of another kind', { x: { type: 'float32', dims: [2], data: new Float64Array(2) } }, { y }, /input 'x': `data` is not the kind of typed array that holds float32$/],
    ['a negative dimension', { x: { type: 'float32', dims: [-2], data: new Float32Array(2) } }, { y }, /input 'x': dimension 0 is not a size$/],
    ['dimensions beyond any memory', { x: { type: 'float32', dims: [2 ** 40, 2 ** 40], data: new Float32Array(0) } }, { y }, /input 'x': dimension 1 is not a size$/],
    ['another rank', { x: { type: 'float32', dims: [1, 2], data: new Float32Array(2) } }, { y }, /Invalid rank for input: x Got: 2 Expected: 1/],
    ['a place of another size', { x }, { y: float32([3], [0, 0, 0]) }, /ONNX Runtime run: .*(shape|dimension)/i],
  ]
  it.each(wrong)('%s', async (_, feeds, fetches, message) => {
    const twice = await doubling('float32')
    const failure: unknown = await twice.run(feeds, fetches).catch((cause: unknown) => cause)
    expect(failure).toMatchObject({ name: 'AppError', code: 'runtime-failed' })
    expect((failure as Error).message).toMatch(message)
  })

  it('a model that is none, a file that is not there, an option that is unknown', async () => {
    await expect(runtime().createSession(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'runtime-failed' })
    await expect(runtime().createSession('/nowhere/m.onnx')).rejects.toMatchObject({ code: 'runtime-failed', message: expect.stringContaining('/nowhere/m.onnx') as string })
    const absent = (['webgpu', 'dml', 'coreml', 'cuda'] as const).find((name) => !runtime().providers.includes(name)) ?? 'dml'
    await expect(session((b) => b.output(b.input('x', 'float32', [1]), 'float32', [1]), { providers: [absent] })).rejects.toThrow(`'${absent}' is not part of this runtime; it has: cpu`)
  })
})

describe('the event loop', () => {
  it('keeps turning during a run, which a signal ends', async () => {
    const loop = await endless()
    const abort = new AbortController()
    let turns = 0
    const timer = setInterval(() => { if (++turns === 3) abort.abort() }, 1)
    const first = loop.run(endlessFeeds, { y: null }, abort.signal)
    const second = loop.run(endlessFeeds, { y: null }, abort.signal)
    await expect(first).rejects.toMatchObject({ name: 'AppError', code: 'cancelled' })
    await expect(second).rejects.toMatchObject({ name: 'AppError', code: 'cancelled' })
    clearInterval(timer)
    expect(turns).toBeGreaterThanOrEqual(3)
    await expect(loop.run(endlessFeeds, { y: null }, abort.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect((await loop.run({ ...endlessFeeds, times: { type: 'int64', dims: [], data: BigInt64Array.of(4n) } }, { y: null })).y?.data).toEqual(Float32Array.of(16))
  })

  it('may dispose of a session while it runs', async () => {
    const loop = await endless()
    const abort = new AbortController()
    const running = loop.run(endlessFeeds, { y: null }, abort.signal)
    loop.dispose()
    loop.dispose()
    await expect(loop.run(endlessFeeds, { y: null })).rejects.toThrow('the session is disposed of')
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('runs one session several times at once, and gives memory back', async () => {
    const twice = await doubling('float32')
    const inputs = Array.from({ length: 8 }, (_, i) => float32([1000], new Float32Array(1000).fill(i)))
    const results = await Promise.all(inputs.map((x) => twice.run({ x }, { y: null })))
    results.forEach(({ y }, i) => expect(y?.data).toEqual(new Float32Array(1000).fill(2 * i)))
  })
})

describe('the library', () => {
  it('writes and sends nothing of its own', () => {
    const home = mkdtempSync(path.join(os.tmpdir(), 'halftone-home-'))
    const script = path.join(home, 'run.ts')
    writeFileSync(script, `
      import { runtime } from ${JSON.stringify(path.join(import.meta.dirname, '..', 'runtime.ts'))}
      import { model } from ${JSON.stringify(path.join(import.meta.dirname, 'models.ts'))}
      const session = await runtime().createSession(model((b) => b.output(b.one('Neg', [b.input('x', 'float32', [1])], {}, { outputs: ['y'] }), 'float32', [1])))
      await session.run({ x: { type: 'float32', dims: [1], data: Float32Array.of(1) } }, { y: null })
      console.log(process.env.ORT_DISABLE_TELEMETRY)
    `)
    // CI variables silence the uploader too, so the child must not see them.
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CI|TF_BUILD|GITHUB_|ORT_)/.test(name)))
    const child = spawnSync(process.execPath, [script], { env: { ...environment, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), TMPDIR: home }, encoding: 'utf8' })
    const files = readdirSync(home, { recursive: true })
    rmSync(home, { recursive: true })
    expect(child.stderr).toBe('')
    expect(child.stdout.trim()).toBe('1')
    expect(files).toEqual(['run.ts'])
  })
})
