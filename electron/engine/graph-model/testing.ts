/** @file Small graphs for tests: every form in which a layer occurs, with weights from a formula. */
import { crc32 } from 'node:zlib'
import { createBuilder, type Builder } from '../graph/builder.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { toHalves } from '../io/float.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'

const bytes = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer)
const count = (dims: readonly number[]): number => dims.reduce((product, size) => product * size, 1)

/** Values between −scale and scale from a seed. */
export function noise(length: number, seed: number, scale = 1): Float32Array {
  const random = createRandom(seed)
  return Float32Array.from({ length }, () => (random() * 2 - 1) * scale)
}

/** Adds a weight of noise. */
export function weight(b: Builder, name: string, dims: readonly number[], seed: number): string {
  return b.initializer({ name, type: 'float32', dims, data: bytes(noise(count(dims), seed, 1 / Math.sqrt(count(dims.slice(1))))) })
}

const ints = (values: Readonly<Record<string, number | readonly number[]>>): Record<string, { int: number } | { ints: readonly number[] }> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? { int: value } : { ints: value }]))

/** Image [n, 3, 12, 12] → classes [n, 10]: convolutions plain, depthwise, in groups, strided and residual, a transposed one, and a Gemm. */
export function smallCnn(opset = 21): Graph {
  const b = createBuilder({ '': opset })
  const x = b.input('image', 'float32', ['n', 3, 12, 12])
  const conv = (from: string, name: string, dims: readonly number[], seed: number, attributes: Readonly<Record<string, number | readonly number[]>>): string =>
    b.one('Conv', [from, weight(b, name, dims, seed), weight(b, `${name}.bias`, [dims[0]], seed + 50)], ints(attributes))
  const stem = b.one('Relu', [conv(x, 'stem', [32, 3, 3, 3], 1, { pads: [1, 1, 1, 1] })])
  const depthwise = b.one('Relu', [conv(stem, 'depthwise', [32, 1, 5, 5], 2, { group: 32, pads: [2, 2, 2, 2] })])
  const main = conv(depthwise, 'main', [64, 32, 3, 3], 3, { strides: [2, 2], pads: [1, 1, 1, 1] })
  const side = conv(depthwise, 'side', [64, 32, 1, 1], 4, { strides: [2, 2] })
  const joined = b.one('Relu', [b.one('Add', [main, side])])
  const grouped = conv(joined, 'grouped', [64, 16, 3, 3], 5, { group: 4, dilations: [2, 2], pads: [2, 2, 2, 2] })
  const up = b.one('ConvTranspose', [grouped, weight(b, 'up', [64, 16, 2, 2], 6)], ints({ strides: [2, 2] }))
  const pooled = b.one('Flatten', [b.one('GlobalAveragePool', [up])])
  const wide = b.one('Relu', [b.one('Gemm', [pooled, weight(b, 'hidden', [100, 16], 7), weight(b, 'hidden.bias', [100], 57)], ints({ transB: 1 }))])
  b.output(b.one('Gemm', [wide, weight(b, 'classes', [100, 10], 8), weight(b, 'classes.bias', [10], 58)], {}), 'float32', ['n', 10])
  return b.build('small CNN')
}

/** Image [n, 3, 8, 8] → [n, 16, 16, 16], all in 16 bits: a convolution, a transposed one, and one whose weight is widened first. */
export async function halfCnn(opset: number): Promise<Graph> {
  const b = createBuilder({ '': opset })
  const half = async (name: string, dims: readonly number[], seed: number): Promise<string> =>
    b.initializer({ name, type: 'float16', dims, data: new Uint8Array((await toHalves(noise(count(dims), seed, 1 / Math.sqrt(count(dims.slice(1)))))).buffer) })
  const first = b.one('Relu', [b.one('Conv', [b.input('image', 'float16', ['n', 3, 8, 8]), await half('first', [32, 3, 3, 3], 71)], ints({ pads: [1, 1, 1, 1] }))])
  const up = b.one('ConvTranspose', [first, await half('up', [32, 16, 2, 2], 72)], ints({ strides: [2, 2] }))
  const wide = b.one('Conv', [b.one('Cast', [up], ints({ to: 1 })), b.one('Cast', [await half('wide', [16, 16, 3, 3], 73)], ints({ to: 1 }))], ints({ pads: [1, 1, 1, 1] }))
  b.output(b.one('Tanh', [wide]), 'float32', ['n', 16, 16, 16])
  return b.build('half CNN')
}

/** Tokens [n, t] → hidden states [n, t, 64] and scores [n, t, 96] over the tied table: lookups, products, a transposed weight. */
export function smallEncoder(): Graph {
  const b = createBuilder({ '': 17 })
  const ids = b.input('input_ids', 'int64', ['n', 't'])
  const table = weight(b, 'table', [96, 64], 11)
  const embedded = b.one('Gather', [table, ids])
  const up = b.one('Tanh', [b.one('Add', [b.one('MatMul', [embedded, weight(b, 'up', [64, 100], 12)]), weight(b, 'up.bias', [100], 62)])])
  const down = b.one('Transpose', [weight(b, 'down', [64, 100], 13)], { perm: { ints: [1, 0] } })
  const hidden = b.one('Add', [embedded, b.one('MatMul', [up, down])])
  b.output(b.one('Identity', [hidden]), 'float32', ['n', 't', 64])
  b.output(b.one('MatMul', [hidden, b.one('Transpose', [table], { perm: { ints: [1, 0] } })]), 'float32', ['n', 't', 96])
  return b.build('small encoder')
}

/** Tokens [n, t] → scores [n, t, 96]: a table of 100 columns that is multiplied too, and one of 40 that is not; neither fills whole groups. */
export function oddTables(opset = 17): Graph {
  const b = createBuilder({ '': opset })
  const ids = b.input('input_ids', 'int64', ['n', 't'])
  const tied = weight(b, 'tied', [96, 100], 14)
  const plain = b.one('Gather', [weight(b, 'plain', [96, 40], 15), ids])
  const hidden = b.one('Tanh', [b.one('Add', [b.one('Gather', [tied, ids]), b.one('MatMul', [plain, weight(b, 'up', [40, 100], 16)])])])
  b.output(b.one('MatMul', [hidden, b.one('Transpose', [tied], { perm: { ints: [1, 0] } })]), 'float32', ['n', 't', 96])
  return b.build('odd tables')
}

/** Token and type ids [n, t] → hidden states [n, t, 64]: the embedding of BERT-like encoders, whose positions are counted, and a product. */
export function positionedEncoder(): Graph {
  const b = createBuilder({ '': 17 })
  const ids = b.input('input_ids', 'int64', ['n', 't'])
  const types = b.input('token_type_ids', 'int64', ['n', 't'])
  const places = b.one('Range', [b.ints(0), b.one('Gather', [b.one('Shape', [ids]), b.ints(1)]), b.ints(1)])
  const embedded = b.one('Add', [
    b.one('Add', [b.one('Gather', [weight(b, 'words', [96, 64], 21), ids]), b.one('Gather', [weight(b, 'types', [2, 64], 22), types])]),
    b.one('Gather', [weight(b, 'positions', [32, 64], 23), places]),
  ])
  const normed = b.one('LayerNormalization', [embedded, weight(b, 'norm', [64], 24), weight(b, 'norm.bias', [64], 25)], { axis: { int: -1 }, epsilon: { float: 1e-12 } })
  b.output(b.one('MatMul', [normed, weight(b, 'up', [64, 100], 26)]), 'float32', ['n', 't', 100])
  return b.build('positioned encoder')
}

/** Frames [t, n, 32] → [t, n, 48]: an LSTM in both directions, a GRU of which the last state is read, products of both. */
export function smallRecurrent(opset = 21): Graph {
  const b = createBuilder({ '': opset })
  const x = b.input('frames', 'float32', ['t', 'n', 32])
  const [both] = b.node('LSTM', [x, weight(b, 'lstm.w', [2, 96, 32], 31), weight(b, 'lstm.r', [2, 96, 24], 32), weight(b, 'lstm.b', [2, 192], 33)], { hidden_size: { int: 24 }, direction: { string: 'bidirectional' } }, { outputs: ['lstm.y', '', 'lstm.c'] })
  const joined = b.one('Reshape', [b.one('Transpose', [both], { perm: { ints: [0, 2, 1, 3] } }), b.ints([0, 0, 48])])
  const [, last] = b.node('GRU', [joined, weight(b, 'gru.w', [1, 144, 48], 34), weight(b, 'gru.r', [1, 144, 48], 35)], { hidden_size: { int: 48 } }, { outputs: ['', 'gru.h'] })
  b.output(b.one('Add', [joined, last]), 'float32', null)
  return b.build('small recurrent')
}

/** Frames [t, n, 32] → [t, 1, n, 24]: an LSTM whose gates are put in order in the graph, as PyTorch writes them. */
export function piecedRecurrent(): Graph {
  const b = createBuilder({ '': 18 })
  const x = b.input('frames', 'float32', ['t', 'n', 32])
  const ordered = (name: string, cols: number, seed: number): string => {
    const whole = weight(b, name, [96, cols], seed)
    const gates = [[0, 24], [72, 96], [24, 72]].map(([from, to]) => b.one('Slice', [whole, b.ints([from]), b.ints([to]), b.ints([0])]))
    return b.one('Unsqueeze', [b.one('Concat', gates, { axis: { int: 0 } }), b.ints([0])])
  }
  b.output(b.one('LSTM', [x, ordered('w', 32, 51), ordered('r', 24, 52)], { hidden_size: { int: 24 } }), 'float32', null)
  return b.build('pieced recurrent')
}

/** Rows [n, 64] → [n, 96]: by the sign of their sum a product in one branch or the other of an If, whose weights have the same name, and one they share. */
export function branching(): Graph {
  const b = createBuilder({ '': 16 })
  const flag = b.one('Greater', [b.one('ReduceSum', [b.input('x', 'float32', ['n', 64])], { keepdims: { int: 0 } }), b.floats(0)])
  const shared = weight(b, 'shared', [96, 96], 43)
  const branch = (seed: number): Graph => {
    const inner = createBuilder({ '': 16 })
    const product = inner.one('MatMul', ['x', weight(inner, 'w', [64, 96], seed)])
    inner.output(inner.one('MatMul', [product, shared], {}, { outputs: [`y${seed}`] }), 'float32', null)
    return inner.build(`branch ${seed}`)
  }
  b.output(b.one('If', [flag], { then_branch: { graph: branch(41) }, else_branch: { graph: branch(42) } }), 'float32', null)
  return b.build('branching')
}

/** Rows [n, 16, 24] → [n, 32, 24]: a convolution in a branch of an If, and a stack of matrices that a product reads. */
export function denseReaders(): Graph {
  const b = createBuilder({ '': 16 })
  const x = b.input('x', 'float32', ['n', 16, 24])
  const branch = (name: string, seed: number): Graph => {
    const inner = createBuilder({ '': 16 })
    inner.output(inner.one('Conv', [x, weight(inner, name, [32, 16, 3], seed)], ints({ pads: [1, 1] }), { outputs: [`y${seed}`] }), 'float32', null)
    return inner.build(name)
  }
  const flag = b.one('Greater', [b.one('ReduceSum', [x], { keepdims: { int: 0 } }), b.floats(0)])
  const y = b.one('If', [flag], { then_branch: { graph: branch('then', 44) }, else_branch: { graph: branch('else', 45) } })
  b.output(b.one('MatMul', [y, weight(b, 'stack', [1, 24, 32], 46)]), 'float32', null)
  return b.build('dense readers')
}

/** An image for `smallCnn`, and ids for `smallEncoder`. */
export const image = (seed: number): Tensor => ({ type: 'float32', dims: [1, 3, 12, 12], data: noise(3 * 144, seed) })
export function tokens(seed: number, length = 9): Tensor {
  const random = createRandom(seed)
  return { type: 'int64', dims: [1, length], data: BigInt64Array.from({ length }, () => BigInt(Math.floor(random() * 96))) }
}

/** A NumPy file of float32 values, as numpy.save writes it. */
export function npyBytes(dims: readonly number[], values: Float32Array): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`
  const header = `${text}${' '.repeat(63 - ((10 + text.length) % 64))}\n`
  const head = Buffer.alloc(10)
  head.write('\u0093NUMPY\u0001\u0000', 'latin1')
  head.writeUInt16LE(header.length, 8)
  return Buffer.concat([head, Buffer.from(header, 'latin1'), bytes(values)])
}

/** Arrays as numpy.savez writes them: a ZIP of stored NPY files. */
export function npzBytes(arrays: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const parts: Buffer[] = []
  const central: Buffer[] = []
  let at = 0
  for (const [name, content] of Object.entries(arrays)) {
    const path = Buffer.from(`${name}.npy`)
    const fields = Buffer.alloc(26) // version, flags, method, time, date, CRC, two sizes, length of the name, no extra field
    fields.writeUInt16LE(20, 0)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(content.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(path.length, 22)
    const place = Buffer.alloc(14) // no comment, disk 0, no attributes, where the entry begins
    place.writeUInt32LE(at, 10)
    const entry = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), fields, path, content])
    central.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000', 'latin1'), fields, place, path]))
    parts.push(entry)
    at += entry.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(central.length, 4)
  end.writeUInt16LE(central.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...parts, directory, Buffer.from('PK\u0005\u0006', 'latin1'), end])
}
