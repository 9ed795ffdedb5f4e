import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { dataTypes, type DataType, type SessionOptions, type Tensor } from '../kernels.ts'
import { runtime } from '../runtime.ts'
import { endlessFeeds, endlessModel, float32, floats, model } from './models.ts'

function session(write: Parameters<typeof model>[0], options?: SessionOptions) {
  return runtime().createSession(model(write), options)
}

/** y = x·2 over [n] of the type given. */
function doubling(type: DataType) {
  return session((b) => b.output(b.one('Add', [b.input('x', type, ['n']), 'x'], {}, { outputs: ['y'] }), type, ['n']))
}

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
    // From float64, which holds all of these values but the integers of 64 bits.
    const x: Tensor = type === 'uint64' || type === 'float64' ? { type, dims: [4], data } : { type: 'float64', dims: [4], data: Float64Array.from(values) }
    const cast = await session((b) => b.output(b.one('Cast', [b.input('x', x.type, [4])], { to: { int: dataTypes.indexOf(type) } }, { outputs: ['y'] }), type, [4]))
    expect((await cast.run({ x }, { y: null })).y).toEqual({ type, dims: [4], data })
  })

  it('keeps scalars, empty dimensions and odd packed lengths', async () => {
    const concat = await session((b) => {
      const inputs = [b.input('past', 'float32', [2, 'p', 3]), b.input('x', 'float32', [2, 1, 3])]
      b.output(b.one('Concat', inputs, { axis: { int: 1 } }, { outputs: ['y'] }), 'float32', [2, 'n', 3])
    })
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
    expect(floats(result.minus)).toHaveLength(count)
    expect(floats(result.minus).every((value, i) => value === -i)).toBe(true)
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
    const run = twice.run(feeds, fetches)
    await expect(run).rejects.toMatchObject({ name: 'AppError', code: 'runtime-failed' })
    await expect(run).rejects.toThrow(message)
  })

  it('a model that is none, a file that is not there, an option that is unknown', async () => {
    await expect(runtime().createSession(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'runtime-failed' })
    await expect(runtime().createSession('/nowhere/m.onnx')).rejects.toThrow('/nowhere/m.onnx')
    const absent = (['webgpu', 'dml', 'coreml', 'cuda'] as const).find((name) => !runtime().providers.includes(name)) ?? 'dml'
    await expect(session((b) => b.output(b.input('x', 'float32', [1]), 'float32', [1]), { providers: [absent] })).rejects.toThrow(`'${absent}' is not part of this runtime; it has: cpu`)
  })
})

describe('the event loop', () => {
  it('keeps turning during a run, which a signal ends', async () => {
    const loop = await runtime().createSession(endlessModel())
    const abort = new AbortController()
    let turns = 0
    const timer = setInterval(() => { if (++turns === 3) abort.abort() }, 1)
    const both = await Promise.allSettled([1, 2].map(() => loop.run(endlessFeeds, { y: null }, abort.signal)))
    clearInterval(timer)
    for (const run of both) expect(run).toMatchObject({ status: 'rejected', reason: { name: 'AppError', code: 'cancelled' } })
    expect(turns).toBeGreaterThanOrEqual(3)
    await expect(loop.run(endlessFeeds, { y: null }, abort.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect((await loop.run({ ...endlessFeeds, times: { type: 'int64', dims: [], data: BigInt64Array.of(4n) } }, { y: null })).y?.data).toEqual(Float32Array.of(16))
  })

  it('may dispose of a session while it runs', async () => {
    const loop = await runtime().createSession(endlessModel())
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

describe('the process', () => {
  /** Runs a script that may import the runtime and the test models, in a folder of its own; returns what it left. */
  function child(lines: readonly string[]): { status: number | null; stdout: string; stderr: string; files: unknown[] } {
    const home = mkdtempSync(path.join(os.tmpdir(), 'halftone-home-'))
    const imports = [['runtime', '..', 'runtime.ts'], ['model, endlessModel, endlessFeeds', 'models.ts']].map(([name, ...parts]) => `import { ${name} } from ${JSON.stringify(path.join(import.meta.dirname, ...parts))}`)
    writeFileSync(path.join(home, 'run.ts'), [...imports, ...lines].join('\n'))
    // CI variables silence the runtime's uploader too, so the child must not see them.
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CI|TF_BUILD|GITHUB_|ORT_)/.test(name)))
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(home, 'run.ts')], {
      env: { ...environment, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), TMPDIR: home },
      encoding: 'utf8',
      timeout: 60_000,
    })
    const files = readdirSync(home, { recursive: true })
    rmSync(home, { recursive: true })
    return { status, stdout, stderr, files }
  }

  it('leaves no trace of telemetry', () => {
    const { stdout, stderr, files } = child([
      "const session = await runtime().createSession(model((b) => b.output(b.one('Neg', [b.input('x', 'float32', [1])], {}, { outputs: ['y'] }), 'float32', [1])))",
      "await session.run({ x: { type: 'float32', dims: [1], data: Float32Array.of(1) } }, { y: null })",
      'console.log(process.env.ORT_DISABLE_TELEMETRY)',
    ])
    expect({ stderr, stdout, files }).toEqual({ stderr: '', stdout: '1\n', files: ['run.ts'] })
  })

  it('can exit while a run is under way', () => {
    const { status, stderr } = child([
      'const session = await runtime().createSession(endlessModel())',
      'void session.run(endlessFeeds, { y: null })',
      'setTimeout(() => process.exit(3), 20)',
    ])
    expect({ status, stderr }).toEqual({ status: 3, stderr: '' })
  })

  it('gives the memory of disposed sessions back', async () => {
    const [count, megabytes] = [30, 16]
    const weight = new Float32Array(megabytes << 18).fill(1)
    const bytes = model((b) => {
      const w = b.initializer({ name: 'w', type: 'float32', dims: [weight.length], data: new Uint8Array(weight.buffer) })
      b.output(b.one('Add', [b.input('x', 'float32', [1]), w], {}, { outputs: ['y'] }), 'float32', [weight.length])
    })
    const place = float32([weight.length], weight)
    async function once(): Promise<void> {
      const opened = await runtime().createSession(bytes)
      await opened.run({ x: float32([1], [1]) }, { y: place })
      opened.dispose()
    }
    await once()
    const before = process.memoryUsage.rss()
    for (let i = 0; i < count; i++) await once()
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(count * megabytes / 2)
  })
})
