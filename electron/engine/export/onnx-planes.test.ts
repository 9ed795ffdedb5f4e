import { expect, test } from 'vitest'
import { intFormats, optionBytes } from '../budget/option-bytes.ts'
import { planePieces, planeRowBytes, planeShape, type Plane } from './onnx-planes.ts'

function plane(bytes: Uint8Array, shape: ReturnType<typeof planeShape>, name: Plane): number[] {
  return [...planePieces(bytes, shape, name)].flatMap((piece) => [...piece])
}

test('blocks of scale, zero and codes become three planes, row by row', () => {
  // Two rows of three groups of 32 in 2 bits; every block is [scale low, scale high, zero, 8 bytes of codes].
  const zeros = [[1, 2, 3], [0, 3, 1]]
  const bytes = Uint8Array.from(zeros.flatMap((row, r) => row.flatMap((zero, g) => [16 * r + g, 0x3c, zero, ...Array.from({ length: 8 }, (_, i) => 100 * r + 10 * g + i)])))
  const shape = planeShape(2, 96, { bits: 2, group: 32, isSymmetric: false })
  expect(plane(bytes, shape, 'scales')).toEqual([0, 0x3c, 1, 0x3c, 2, 0x3c, 16, 0x3c, 17, 0x3c, 18, 0x3c])
  expect(plane(bytes, shape, 'zeros')).toEqual([1 + 2 * 4 + 3 * 16, 0 + 3 * 4 + 1 * 16])
  expect(plane(bytes, shape, 'codes')).toEqual([0, 1].flatMap((r) => [0, 1, 2].flatMap((g) => Array.from({ length: 8 }, (_, i) => 100 * r + 10 * g + i))))
})

test('4-bit zero points are two a byte, 8-bit ones a byte each; symmetric blocks have none', () => {
  const block = (zero: number, count: number): number[] => [0, 0, zero, ...new Array<number>(count).fill(0)]
  expect(plane(Uint8Array.from([...block(9, 16), ...block(5, 16), ...block(15, 16)]), planeShape(1, 96, { bits: 4, group: 32, isSymmetric: false }), 'zeros')).toEqual([9 + 5 * 16, 15])
  expect(plane(Uint8Array.from([...block(200, 32), ...block(7, 32)]), planeShape(1, 64, { bits: 8, group: 32, isSymmetric: false }), 'zeros')).toEqual([200, 7])
  const symmetric = planeShape(1, 64, { bits: 4, group: 32, isSymmetric: true })
  const codes = Array.from({ length: 32 }, (_, i) => i)
  expect(plane(Uint8Array.from([1, 2, ...codes.slice(0, 16), 3, 4, ...codes.slice(16)]), symmetric, 'codes')).toEqual(codes)
})

test('the planes take the bytes a plan counts, and pieces of many rows join without a seam', () => {
  for (const [name, format] of intFormats) {
    const size = optionBytes('onnx', { name: 'x', kind: 'matmul', shape: [37, 640] }, name)
    if ('reason' in size) continue
    const shape = planeShape(37, 640, format)
    const planes: Plane[] = format.isSymmetric ? ['codes', 'scales'] : ['codes', 'scales', 'zeros']
    expect(planes.reduce((sum, part) => sum + 37 * planeRowBytes(shape, part), 0), name).toBe(size.bytes)
  }
  const tall = planeShape(20_000, 32, { bits: 8, group: 32, isSymmetric: true })
  const bytes = new Uint8Array(20_000 * 34).map((_, i) => (i % 34 < 2 ? 0 : (i / 34) | 0))
  const pieces = [...planePieces(bytes, tall, 'codes')]
  expect(pieces.length).toBeGreaterThan(1)
  const joined = pieces.flatMap((piece) => [...piece])
  expect(joined).toHaveLength(640_000)
  expect(joined.every((value, at) => value === (Math.floor(at / 32) & 255))).toBe(true)
})
