import { expect, test } from 'vitest'
import { grouped } from './reasons.ts'

test('reasons that differ in names and numbers are one, with the range of the numbers; a reason alone keeps its name', () => {
  expect(grouped([
    'has 64 weights, too few for scales of their own', "is read by Add '/Add_63', which has no quantized form", 'has 256 weights, too few for scales of their own', 'is a vector',
    "is read by Add '/Add_64', which has no quantized form", "is read by Sub '/Sub_3', which has no quantized form", 'has 128 weights, too few for scales of their own', 'is a vector',
  ])).toEqual([
    { reason: 'has 64 to 256 weights, too few for scales of their own', count: 3 },
    { reason: 'is read by Add, which has no quantized form', count: 2 },
    { reason: 'is a vector', count: 2 },
    { reason: "is read by Sub '/Sub_3', which has no quantized form", count: 1 },
  ])
})
