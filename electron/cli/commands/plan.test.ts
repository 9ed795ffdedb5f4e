import { expect, test } from 'vitest'
import { targetOf } from './compress.ts'
import { budgetOf, constrained, quality } from './plan.ts'

const none = { limits: {} }

test('constraints add up; bytes is a size', () => {
  expect(constrained('bytes=120MB', constrained('ms=12.5', constrained('bops=3e12', none)))).toEqual({ bytes: '120MB', limits: { ms: 12.5, bops: 3e12 } })
  expect(constrained('bytes=2733344', none)).toEqual({ bytes: '2733344B', limits: {} })
  for (const text of ['ms', 'ms=', 'ms=0', 'ms=-1', 'ms=fast', 'watts=5', 'ms=1=2', '=3']) expect(() => constrained(text, none), text).toThrow('expected bytes=SIZE, or a number above zero for one of macs, bops, ms')
})

test('qualities', () => {
  expect(['kl=0.02', 'ppl=66.5', 'ppl-ratio=1.01', 'same-top=0.99', 'same-top=99%'].map(quality)).toEqual([
    { name: 'kl', value: 0.02 }, { name: 'ppl', value: 66.5 }, { name: 'ppl-ratio', value: 1.01 }, { name: 'same-top', value: 0.99 }, { name: 'same-top', value: 0.99 },
  ])
  for (const text of ['kl', 'kl=', 'kl=0', 'kl=x', 'same-top=2', 'accuracy=0.99', 'kl=1=2']) expect(() => quality(text), text).toThrow('expected kl=0.02')
})

test('one budget, from wherever it comes', () => {
  expect(budgetOf('2.8bpw', none, false)).toEqual({ kind: 'bits', value: 2.8 })
  expect(budgetOf(undefined, { bytes: '3MB', limits: {} }, false)).toEqual({ kind: 'bytes', value: 3e6 })
  expect(budgetOf(undefined, { limits: { ms: 1 } }, false)).toEqual({ kind: 'ratio', value: 1 })
  expect(budgetOf(undefined, none, true)).toEqual({ kind: 'ratio', value: 1 })
  expect(() => budgetOf(undefined, none, false)).toThrow('found no limit')
  expect(() => budgetOf('2.8bpw', { bytes: '3MB', limits: {} }, false)).toThrow('found both')
  expect(() => budgetOf(undefined, { bytes: '50%', limits: {} }, false)).toThrow('expected a number of bytes')
})

test('an ONNX graph is its own target; a language model has to be given one', () => {
  expect(targetOf('net.onnx', undefined)).toBe('onnx')
  expect(targetOf('folder', 'gguf')).toBe('gguf')
  expect(() => targetOf('folder', undefined)).toThrow('expected gguf, onnx or safetensors')
})
