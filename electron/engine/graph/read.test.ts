import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../../kernels/kernels.ts'
import { runtime } from '../../../kernels/runtime.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { encodeModel } from './encode.ts'
import { openGraph } from './open.ts'
import { readModel } from './read.ts'
import { initializerTensor } from './tensor.ts'
import { writeModel } from './write.ts'
import type { Graph } from './graph.ts'

const goldens = path.join(import.meta.dirname, 'goldens')

async function outputBytes(file: string, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Buffer>> {
  const session = await runtime().createSession(file)
  const result = await session.run(feeds, Object.fromEntries(session.outputNames.map((name) => [name, null])))
  session.dispose()
  return Object.fromEntries(Object.entries(result).map(([name, { data }]) => [name, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]))
}

function ramp(dims: readonly number[]): Tensor {
  const count = dims.reduce((a, b) => a * b, 1)
  return { type: 'float32', dims, data: Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7)) }
}

const cases: Readonly<Record<string, Readonly<Record<string, Tensor>>>> = {
  typed: { x: ramp([2, 3, 8, 8]) },
  external: { x: ramp([2, 3, 8, 8]) },
  functions: { v: ramp([9]) },
  branch: { c: { type: 'bool', dims: [], data: Uint8Array.of(1) }, v: ramp([1500]) },
}

describe('readModel and writeModel', () => {
  for (const [name, feeds] of Object.entries(cases)) {
    for (const externalData of [false, true]) {
      it(`round trip of ${name}${externalData ? ' with external data' : ''} keeps every bit of the outputs`, () => withFolder(async (folder) => {
        const original = path.join(goldens, `${name}.onnx`)
        const copy = path.join(folder, 'copy.onnx')
        await writeModel(await readModel(original), copy, { externalData })
        expect(await outputBytes(copy, feeds)).toEqual(await outputBytes(original, feeds))
        const again = path.join(folder, 'again.onnx')
        await writeModel(await readModel(copy), again)
        expect(await outputBytes(again, feeds)).toEqual(await outputBytes(original, feeds))
      }))
    }
  }

  it('takes branches that leave the type of their outputs to inference, and gives them on so', () => withFolder(async (folder) => {
    const original = path.join(goldens, 'branch.onnx')
    const graph = await readModel(original)
    const untyped = (held: Graph): Graph => ({ ...held, values: new Map(), outputs: held.outputs.map(({ name }) => ({ name, type: 'undefined', shape: null })) })
    const nodes = graph.nodes.map((node) => ({ ...node, attributes: Object.fromEntries(Object.entries(node.attributes).map(([name, value]) => [name, 'graph' in value ? { graph: untyped(value.graph) } : value])) }))
    expect(nodes.some(({ attributes }) => Object.values(attributes).some((value) => 'graph' in value))).toBe(true)
    const [file, copy] = [path.join(folder, 'untyped.onnx'), path.join(folder, 'copy.onnx')]
    await writeModel({ ...graph, nodes }, file)
    await writeModel(await readModel(file), copy)
    expect(await outputBytes(copy, cases.branch)).toEqual(await outputBytes(original, cases.branch))
  }))

  it('leaves big weights in the file and reads them by range', async () => {
    const graph = await readModel(path.join(goldens, 'typed.onnx'))
    const weight = graph.initializers.get('fc.weight')
    expect(weight?.data).toEqual({ path: path.join(goldens, 'typed.onnx'), offset: expect.any(Number) as number, length: 10 * 280 * 4 })
    const external = await readModel(path.join(goldens, 'external.onnx'))
    expect(external.initializers.get('fc.weight')?.data).toMatchObject({ path: path.join(goldens, 'external.data') })
    const [a, b] = await Promise.all([graph, external].map(async ({ initializers }) => {
      const found = initializers.get('fc.weight')
      return found === undefined ? undefined : (await initializerTensor(found)).data
    }))
    expect(a?.length).toBe(2800)
    expect(a).toEqual(b)
  })

  it('opens in the runtime with its weights in the message or in shared buffers', async () => {
    const graph = await readModel(path.join(goldens, 'external.onnx'))
    const expected = await outputBytes(path.join(goldens, 'external.onnx'), cases.external ?? {})
    for (const messageBytesMax of [undefined, 0]) {
      const session = await openGraph(graph, { threads: 1 }, messageBytesMax)
      const { y } = await session.run(cases.external ?? {}, { y: null })
      session.dispose()
      const [found, wanted] = [Array.from<number | bigint, number>(y?.data ?? [], Number), new Float32Array(expected.y?.buffer ?? new ArrayBuffer(0), expected.y?.byteOffset, 20)]
      expect(found.length).toBe(wanted.length)
      found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index] ?? NaN, 4))
    }
  })

  it('reads all ways of storing numbers', async () => {
    const { initializers, opset, nodes } = await readModel(path.join(goldens, 'typed.onnx'))
    expect(opset).toEqual({ '': 17 })
    const ends = initializers.get('ends')
    expect(ends === undefined ? null : [...(await initializerTensor(ends)).data]).toEqual([2n ** 63n - 1n, 2n ** 63n - 1n])
    expect(initializers.get('half')?.type).toBe('float16')
    expect(initializers.get('one')?.dims).toEqual([])
    expect(nodes.map(({ op }) => op)).not.toContain('Constant')
    expect(nodes.find(({ op }) => op === 'LeakyRelu')?.attributes).toEqual({ alpha: { float: 0.125 } })
    expect(nodes.find(({ op }) => op === 'Conv')?.attributes).toEqual({ pads: { ints: [1, 1, 1, 1] } })
  })

  it('inlines local functions with their attributes', async () => {
    const { nodes, opset } = await readModel(path.join(goldens, 'functions.onnx'))
    expect(nodes.filter(({ op }) => op === 'LeakyRelu').map(({ attributes }) => attributes.alpha)).toEqual([{ float: 0.5 }, { float: 0.25 }, { float: 0.75 }, { float: 0.25 }])
    expect(opset).toEqual({ '': 17 })
  })

  it('does not write over a file unless told to, and says what it wrote', () => withFolder(async (folder) => {
    const graph = await readModel(path.join(goldens, 'typed.onnx'))
    const file = path.join(folder, 'm.onnx')
    const { model } = await writeModel(graph, file)
    expect(model.sizeBytes).toBe(readFileSync(file).length)
    await expect(writeModel(graph, file)).rejects.toMatchObject({ code: 'file-exists' })
    const { data } = await writeModel(graph, file, { externalData: 'w.bin', overwrite: true })
    expect(data?.sizeBytes).toBe(readFileSync(path.join(folder, 'w.bin')).length)
    await expect(writeModel(graph, file, { externalData: '../w.bin' })).rejects.toMatchObject({ code: 'bad-request' })
  }))

  it('reads a model whose weights it is itself rewriting beside', () => withFolder(async (folder) => {
    for (const name of ['external.onnx', 'external.data']) copyFileSync(path.join(goldens, name), path.join(folder, name))
    const file = path.join(folder, 'external.onnx')
    const before = await outputBytes(file, cases.external ?? {})
    await writeModel(await readModel(file), file, { externalData: 'external.data', overwrite: true })
    expect(await outputBytes(file, cases.external ?? {})).toEqual(before)
  }))

  it('keeps an encoded graph as it was', () => withFolder(async (folder) => {
    const graph: Graph = {
      name: 'g', opset: { '': 21 }, metadata: { made: 'by hand' }, values: new Map([['t', { name: 't', type: 'float32', shape: [2, 'n'] }]]), initializers: new Map(),
      inputs: [{ name: 'x', type: 'float32', shape: ['n', null] }], outputs: [{ name: 'y', type: 'float32', shape: null }],
      nodes: [
        { op: 'Custom', domain: '', name: 'a', inputs: ['x', '', 'x'], outputs: ['t'], attributes: { i: { int: -3 }, f: { float: 0.5 }, s: { string: 'é' }, is: { ints: [-1, 2 ** 40] }, fs: { floats: [1.5, -2] }, ss: { strings: ['a', ''] }, none: { ints: [] } } },
        { op: 'Relu', domain: '', name: 'b', inputs: ['t'], outputs: ['y'], attributes: {} },
      ],
    }
    writeFileSync(path.join(folder, 'g.onnx'), encodeModel(graph))
    expect(await readModel(path.join(folder, 'g.onnx'))).toEqual(graph)
  }))
})
