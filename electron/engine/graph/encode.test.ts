import { describe, expect, it } from 'vitest'
import * as ort from 'onnxruntime-node'
import { createBuilder } from './builder.ts'
import { encodeModel } from './encode.ts'

describe('encodeModel', () => {
  it('writes a file that ONNX Runtime loads and runs', async () => {
    const b = createBuilder()
    const x = b.input('x', 'float32', ['n', 3])
    const sum = b.one('ReduceSum', [b.one('Mul', [x, b.floats([1, 10, 100])]), b.ints([1])], { keepdims: { int: 0 } })
    b.output(b.one('Clip', [sum, '', b.floats(400)]), 'float32', ['n'])
    const session = await ort.InferenceSession.create(encodeModel(b.build('test')))
    const result = await session.run({ x: new ort.Tensor('float32', [1, 2, 3, 9, 9, 9], [2, 3]) })
    expect([...(result[session.outputNames[0] ?? '']?.data as Float32Array)]).toEqual([321, 400])
  })

  it('shares equal constants and keeps names unique', () => {
    const b = createBuilder()
    expect(b.ints([1, 2])).toBe(b.ints([1, 2]))
    expect(b.ints(1)).not.toBe(b.ints([1]))
    const names = Array.from({ length: 5 }, () => b.one('Relu', ['x']))
    expect(new Set([...names, b.fresh('Relu:out'), b.fresh('Relu:out_1')]).size).toBe(7)
  })
})
