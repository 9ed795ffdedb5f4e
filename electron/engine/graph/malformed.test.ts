import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Writer } from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { withFolder } from '../io/temporary-folder.ts'
import { readModel } from './read.ts'

type Part = Uint8Array | string | number | bigint

/** One protobuf field, number · value; built here so that a lie of the file is a lie of the test. */
function field(number: number, value: Part): Uint8Array {
  const writer = Writer.create()
  if (typeof value === 'string') return writer.uint32(number * 8 + 2).string(value).finish()
  if (value instanceof Uint8Array) return writer.uint32(number * 8 + 2).bytes(value).finish()
  return writer.uint32(number * 8).int64(Number(value)).finish()
}

function all(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

const opset = field(8, all(field(1, ''), field(2, 17)))
const model = (graph: Uint8Array, set = opset): Uint8Array => all(field(1, 9), set, field(7, graph))
const value = (name: string): Uint8Array => all(field(1, name), field(2, field(1, all(field(1, 1), field(2, field(1, field(1, 4)))))))
const node = (op: string, inputs: string[], outputs: string[], ...more: Uint8Array[]): Uint8Array => field(1, all(...inputs.map((name) => field(1, name)), ...outputs.map((name) => field(2, name)), field(3, `${op} node`), field(4, op), ...more))
const input = (name: string): Uint8Array => field(11, value(name))
const output = (name: string): Uint8Array => field(12, value(name))
const tensor = (name: string, dims: number[], type: number, ...more: Uint8Array[]): Uint8Array => field(5, all(...dims.map((dim) => field(1, dim)), field(2, type), field(8, name), ...more))
const external = (entries: Record<string, string>): Uint8Array => all(field(14, 1), ...Object.entries(entries).map(([key, text]) => field(13, all(field(1, key), field(2, text)))))
const relu = (weights: Uint8Array): Uint8Array => model(all(input('x'), output('y'), weights, node('Relu', ['x'], ['y'])))
const big = (count: number): Uint8Array => field(9, new Uint8Array(count))

/** A graph in an attribute of a node in a graph in an attribute …, each large enough not to be passed over. */
function nested(depth: number): Uint8Array {
  const padding = field(10, 'x'.repeat(5000))
  const inner = depth === 0 ? all(output('y'), padding) : all(nested(depth - 1), padding)
  return node('If', ['x'], [`o${depth}`], field(5, all(field(1, 'then_branch'), field(6, inner), field(20, 5))))
}

const truncated = relu(tensor('w', [4], 1, big(16)))

const corpus: Readonly<Record<string, readonly [bytes: Uint8Array, message: RegExp]>> = {
  'an empty file': [new Uint8Array(0), /empty file/],
  'text': [new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'), /ONNX|message|protobuf/],
  'the end missing': [truncated.subarray(0, truncated.length - 20), /at most \d+, the rest of its message/],
  'a length beyond the file': [all(field(1, 9), Uint8Array.of(7 * 8 + 2, 0xff, 0xff, 0xff, 0xff, 0x0f)), /the rest of its message/],
  'a number without end': [all(field(1, 9), Uint8Array.of(8, ...Array<number>(12).fill(0xff))), /more than 10 bytes/],
  'no graph': [all(field(1, 9), opset), /no graph/],
  'no operator set': [model(all(input('x'), output('x')), new Uint8Array(0)), /no operator set/],
  'an operator set of the future': [model(all(input('x'), output('x')), field(8, field(2, 999))), /operator set 999, expected 7 to/],
  'an operator set of the past': [model(all(input('x'), output('x')), field(8, field(2, 3))), /operator set 3, expected 7 to/],
  'an operator of an unknown set': [model(all(input('x'), output('y'), node('F', ['x'], ['y'], field(7, 'nowhere')))), /operator set 'nowhere', which the model does not import/],
  'a weight smaller than its shape': [relu(tensor('w', [5], 1, big(16))), /'w': found 16 bytes of data, expected 20 /],
  'a big weight smaller than its shape': [relu(tensor('w', [5000], 1, big(16000))), /'w': found 16000 bytes of data, expected 20000 bytes/],
  'a weight larger than its shape': [relu(tensor('w', [3000], 1, big(16000))), /expected 12000 bytes/],
  'a negative dimension': [relu(tensor('w', [-4, -1], 1, big(16))), /shape \[-4, -1\]/],
  'a shape beyond all memory': [relu(tensor('w', [2 ** 40, 2 ** 40], 1, big(16))), /fewer than 2\^53 bytes/],
  'dimensions without end': [relu(tensor('w', Array<number>(40).fill(1), 1, big(4))), /40 dimensions, expected at most/],
  'an unknown element type': [relu(tensor('w', [4], 77, big(16))), /element type 77/],
  'strings as weights': [relu(tensor('w', [1], 8, field(6, 'text'))), /holds strings/],
  'a wrong wire type': [relu(field(5, all(field(1, 4), field(2, 'one'), field(8, 'w')))), /wire type 2 in field 2/],
  'numbers in two fields': [relu(tensor('w', [1], 1, Writer.create().uint32(4 * 8 + 2).fork().float(1).ldelim().finish(), field(5, 1))), /several fields/],
  'a payload in two pieces': [relu(tensor('w', [3000], 1, big(6000), big(6000))), /several pieces/],
  'two weights of one name': [relu(all(tensor('w', [1], 1, big(4)), tensor('w', [1], 1, big(4)))), /two initializers named 'w'/],
  'two makers of a value': [model(all(input('x'), output('y'), node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y']))), /two makers of value 'y' .*Neg/],
  'a node that makes an input': [model(all(input('x'), output('y'), node('Relu', ['x'], ['y']), node('Neg', ['y'], ['x']))), /two makers of value 'x'/],
  'a value nobody makes': [model(all(input('x'), output('y'), node('Add', ['x', 'ghost'], ['y']))), /reading 'ghost', which nothing makes/],
  'an output nobody makes': [model(all(input('x'), output('ghost'))), /output 'ghost'/],
  'no outputs': [model(input('x')), /no outputs/],
  'a cycle': [model(all(input('x'), output('y'), node('Relu', ['x'], ['y']), node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']))), /cycle through .*(Add|Neg)/],
  'a node that waits for itself': [model(all(input('x'), output('y'), node('Add', ['x', 'y'], ['y']))), /cycle through Add node/],
  'a node without operator': [model(all(input('x'), output('y'), field(1, all(field(1, 'x'), field(2, 'y'))))), /no operator/],
  'graphs without end': [model(all(input('x'), output('y'), nested(40))), /graphs inside graphs/],
  'a sequence as output': [model(all(input('x'), field(12, all(field(1, 'y'), field(2, field(4, field(1, field(1, field(1, 1)))))), ), node('SequenceConstruct', ['x'], ['y']))), /output 'y' is a sequence/],
  'a sparse weight': [relu(field(15, field(1, new Uint8Array(0)))), /sparse initializer/],
  'external data that is missing': [relu(tensor('w', [4], 1, external({ location: 'gone.data' }))), /'gone.data' is not in /],
  'external data above the folder': [relu(tensor('w', [4], 1, external({ location: '../secret' }))), /a path with '\.\.'/],
  'external data above by a detour': [relu(tensor('w', [4], 1, external({ location: 'a/../../secret' }))), /a path with '\.\.'/],
  'external data with backslashes': [relu(tensor('w', [4], 1, external({ location: '..\\secret' }))), /a path with '\.\.'/],
  'external data at an absolute path': [relu(tensor('w', [4], 1, external({ location: '/etc/hostname' }))), /an absolute path/],
  'external data on a drive': [relu(tensor('w', [4], 1, external({ location: 'C:\\secret' }))), /an absolute path/],
  'external data in a folder': [relu(tensor('w', [4], 1, external({ location: 'folder' }))), /not a regular file/],
  'external data without a name': [relu(tensor('w', [4], 1, external({}))), /no file name/],
  'external data through a link to outside': [relu(tensor('w', [4], 1, external({ location: 'link' }))), /a link to /],
  'external data through a linked folder': [relu(tensor('w', [4], 1, external({ location: 'linked/secret' }))), /a link to /],
  'external data beyond its file': [relu(tensor('w', [4], 1, external({ location: 'eight', offset: '0', length: '16' }))), /bytes 0 to 16 of 'eight', which has 8/],
  'external data at an offset beyond its file': [relu(tensor('w', [1], 1, external({ location: 'eight', offset: '8', length: '4' }))), /bytes 8 to 12 of 'eight'/],
  'external data shorter than the weight': [relu(tensor('w', [4], 1, external({ location: 'eight' }))), /8 bytes of data, expected 16/],
  'external data of another length': [relu(tensor('w', [1], 1, external({ location: 'eight', length: '8' }))), /8 bytes of data, expected 4/],
  'external data at a negative offset': [relu(tensor('w', [1], 1, external({ location: 'eight', offset: '-4' }))), /'-4' as place/],
}

describe('malformed models', () => {
  for (const [name, [bytes, message]] of Object.entries(corpus)) {
    it(`refuses ${name}`, () => withFolder(async (outer) => {
      const folder = path.join(outer, 'model')
      mkdirSync(path.join(folder, 'folder'), { recursive: true })
      writeFileSync(path.join(outer, 'secret'), new Uint8Array(16))
      writeFileSync(path.join(folder, 'eight'), new Uint8Array(8))
      symlinkSync(path.join(outer, 'secret'), path.join(folder, 'link'))
      symlinkSync(outer, path.join(folder, 'linked'))
      const file = path.join(folder, 'm.onnx')
      writeFileSync(file, bytes)
      await expect(readModel(file)).rejects.toMatchObject({ name: 'AppError', message: expect.stringMatching(message) as string, hint: expect.any(String) as string })
    }))
  }

  it('reads external data to the end of its file, and through a link inside the folder', () => withFolder(async (folder) => {
    writeFileSync(path.join(folder, 'eight'), Float32Array.of(1, 2))
    symlinkSync(path.join(folder, 'eight'), path.join(folder, 'link'))
    writeFileSync(path.join(folder, 'm.onnx'), relu(tensor('w', [1], 1, external({ location: 'link', offset: '4' }))))
    const graph = await readModel(path.join(folder, 'm.onnx'))
    expect(graph.initializers.get('w')?.data).toEqual(new Uint8Array(Float32Array.of(2).buffer))
  }))

  it('refuses functions that call themselves, and functions that double without end', () => withFolder(async (folder) => {
    const call = (name: string, from: string, to: string): Uint8Array => all(field(1, from), field(2, to), field(4, name), field(7, 'f'))
    const define = (name: string, ...nodes: Uint8Array[]): Uint8Array => field(25, all(field(1, name), field(4, 'a'), field(5, 'b'), ...nodes.map((body) => field(7, body)), field(10, 'f')))
    const sets = all(opset, field(8, all(field(1, 'f'), field(2, 1))))
    const graph = all(input('x'), output('y'), field(1, call('F0', 'x', 'y')))
    const file = path.join(folder, 'm.onnx')
    writeFileSync(file, all(model(graph, sets), define('F0', call('F0', 'a', 'b'))))
    await expect(readModel(file)).rejects.toThrow(/inside itself/)
    const doubling = Array.from({ length: 40 }, (_, level) => define(`F${level}`, call(`F${level + 1}`, 'a', 't'), call(`F${level + 1}`, 't', 'b')))
    writeFileSync(file, all(model(graph, sets), ...doubling, define('F40', all(field(1, 'a'), field(2, 'b'), field(4, 'Neg')))))
    await expect(readModel(file)).rejects.toThrow(/nodes after inlining/)
  }))
})
