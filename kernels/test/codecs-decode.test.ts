/** @file Decoding agrees bit by bit with the gguf package, and for the integers with their layout read independently. */
import { afterEach, describe, expect, it } from 'vitest'
import { ggufTypes } from '../../electron/contract/options.ts'
import { kernels } from '../kernels.ts'
import { bits, decoded, goldens, intNames, readTypes } from './codec-goldens.ts'
import { uniform } from './random.ts'

afterEach(() => kernels().setSimd('auto'))

describe.each(kernels().simdSets())('with %s kernels', (simd) => {
  it.each([...ggufTypes, ...readTypes])('%s: ordinary, NaN, infinite, denormal and random blocks as the gguf package decodes them', async (type) => {
    const golden = goldens.decode[type]
    if (!golden) throw new Error(`no golden for ${type}`)
    kernels().setSimd(simd)
    const found = await decoded(type, { rows: 1, cols: golden.values.length }, golden.blocks)
    expect(bits(found)).toEqual(bits(golden.values))
  })

  it.each(intNames)('%s: random blocks as the layout says', async (name) => {
    kernels().setSimd(simd)
    const cols = name.includes('channel') ? 387 : 384
    const shape = { rows: 3, cols }
    const next = uniform(7)
    const bytes = new Uint8Array(kernels().codecBytes(name, shape)).map(() => Math.floor(next() * 256))
    expect(bits(await decoded(name, shape, bytes))).toEqual(bits(intValues(name, bytes, shape.rows, cols)))
  })
})

/** Half-precision scale, zero point where it is stored, and a little-endian stream of codes: scale·(q − zero). */
function intValues(name: string, bytes: Uint8Array, rows: number, cols: number): Float32Array {
  const [, bitText, groupText, symmetric] = /^int(\d)-(?:g(\d+)|channel)(-sym)?$/.exec(name) ?? []
  const width = Number(bitText)
  const group = groupText ? Number(groupText) : cols
  const view = new DataView(bytes.buffer)
  const out: number[] = []
  let at = 0
  for (let block = 0; block < rows * cols / group; block++) {
    const scale = half(view.getUint16(at, true))
    const zero = symmetric ? 2 ** (width - 1) : view.getUint8(at + 2)
    at += symmetric ? 2 : 3
    for (let i = 0; i < group; i++) {
      let code = 0
      for (let bit = 0; bit < width; bit++) code += (view.getUint8(at + ((i * width + bit) >> 3)) >> ((i * width + bit) % 8) & 1) * 2 ** bit
      out.push(Math.fround(scale * (code - zero)))
    }
    at += Math.ceil(group * width / 8)
  }
  expect(at).toBe(bytes.length)
  return Float32Array.from(out)
}

function half(stored: number): number {
  const sign = stored >> 15 ? -1 : 1
  const exponent = stored >> 10 & 31
  const fraction = stored & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24)
}
