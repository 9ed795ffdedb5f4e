import { describe, expect, it } from 'vitest'
import { kernels } from '../kernels.ts'
import { noise } from './packed-weights.ts'

/** Every half's own code: a grid of whole numbers. */
const whole = (bits: number): Uint8Array => Uint8Array.from({ length: 2 ** (bits + 1) }, (_, half) => half >> 1)

describe('movedCodes', () => {
  it.each([[2, 41], [3, 41], [4, 41], [8, 41], [3, 600]])('of %d bits go to the nearest code, at most to the ends, and into a stream of bits, %d a row', async (bits, cols) => {
    const rows = 3
    const last = 2 ** bits - 1
    const start = Uint8Array.from({ length: rows * cols }, (_, at) => (at * 5 + 1) % 2 ** bits)
    const offsets = noise(rows * cols, bits).map((value) => 3 * value)
    const rowBytes = Math.ceil((cols * bits) / 8)
    const [codes, packed] = [new Uint8Array(rows * cols), new Uint8Array(rows * rowBytes).fill(255)]
    await kernels().movedCodes(start, offsets, { rows, cols }, { bits, step: 1 }, whole(bits), codes, packed)
    expect(codes).toEqual(start.map((code, at) => Math.max(0, Math.min(last, Math.floor(code + offsets[at])))))
    for (let row = 0; row < rows; row++) {
      const stream = packed.subarray(row * rowBytes, (row + 1) * rowBytes)
      const bit = (at: number): number => (stream[at >> 3] >> (at & 7)) & 1
      for (let col = 0; col < cols; col++) expect(Array.from({ length: bits }, (_, at) => bit(col * bits + at) << at).reduce((sum, part) => sum + part)).toBe(codes[row * cols + col])
      for (let at = cols * bits; at < 8 * rowBytes; at++) expect(bit(at)).toBe(0)
    }
  })

  it('take steps of the grid and the codes that it has', async () => {
    const nearest = Uint8Array.of(0, 0, 0, 0, 3, 3, 3, 3) // of four codes the outer two
    const [codes, packed] = [new Uint8Array(4), new Uint8Array(1)]
    await kernels().movedCodes(Uint8Array.of(0, 0, 3, 3), Float32Array.of(0.5, 0.7, -0.2, NaN), { rows: 1, cols: 4 }, { bits: 2, step: 3 }, nearest, codes, packed)
    expect([...codes]).toEqual([0, 3, 3, 0])
    expect([...packed]).toEqual([0b00111100])
  })

  it('refuses arrays that are too short, and more than 8 bits', () => {
    const arrays = (count: number): [Uint8Array, Float32Array] => [new Uint8Array(count), new Float32Array(count)]
    const shape = { rows: 1, cols: 8 }
    expect(() => kernels().movedCodes(...arrays(7), shape, { bits: 2, step: 1 }, whole(2), new Uint8Array(8), new Uint8Array(2))).toThrow('movedCodes: start: has 7 elements, needs 8')
    expect(() => kernels().movedCodes(...arrays(8), shape, { bits: 2, step: 1 }, whole(1), new Uint8Array(8), new Uint8Array(2))).toThrow('movedCodes: nearest: has 4 elements, needs 8')
    expect(() => kernels().movedCodes(...arrays(8), shape, { bits: 9, step: 1 }, whole(8), new Uint8Array(8), new Uint8Array(9))).toThrow('expected at most 8 bits, found 9')
  })
})
