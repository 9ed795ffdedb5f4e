import { describe, expect, it } from 'vitest'
import { createBuilder } from '../graph/builder.ts'
import { float32, open, random } from './check/run.ts'
import { directionOf, hvp, productOf } from './hvp.ts'
import { gradientOf, seedOf, vjp } from './vjp.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'

const [rows, out, cols, bits, group] = [3, 5, 32, 4, 16]
const groups = cols / group

const codes = Array.from({ length: out * cols }, (_, index) => (index * 7 + 3) % 16)
const scales = random(1, [out, groups], 0.1, 1)
const zeros = random(2, [out, groups], 6, 9)

/** Two codes of four bits in a byte, the first in the low bits. */
function packed(): Tensor {
  return { type: 'uint8', dims: [out, cols / 2], data: Uint8Array.from({ length: (out * cols) / 2 }, (_, index) => codes[2 * index] + 16 * codes[2 * index + 1]) }
}

/** The dense weight by its definition. */
function dense(row: number, col: number, withScales: readonly number[] = scales): number {
  const at = row * groups + Math.floor(col / group)
  return withScales[at] * (codes[row * cols + col] - zeros[at])
}

function graph(isBackward: boolean): Graph {
  const b = createBuilder()
  const weight = [b.input('codes', 'uint8', [out, cols / 2]), b.input('scales', 'float32', [out, groups]), b.input('zeros', 'float32', [out, groups])]
  const attributes = { K: { int: cols }, bits: { int: bits }, group: { int: group }, ...(isBackward && { backward: { int: 1 } }) }
  const y = b.one('QMatMul', [b.input('a', 'float32', ['rows', isBackward ? out : cols]), ...weight], attributes, { domain: 'halftone', outputs: ['y'] })
  b.output(y, 'float32', null)
  b.output(b.one('ReduceSum', [b.one('Mul', [y, y])], { keepdims: { int: 0 } }, { outputs: ['loss'] }), 'float32', [])
  return b.build('packed')
}

const weights = { codes: packed(), scales: float32([out, groups], scales), zeros: float32([out, groups], zeros) }

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length)
  const scale = Math.max(...expected.map(Math.abs))
  found.forEach((value, index) => expect(Math.abs(value - expected[index]) / scale).toBeLessThan(1e-5))
}

const sum = (count: number, term: (index: number) => number): number => Array.from({ length: count }, (_, index) => term(index)).reduce((a, b) => a + b, 0)
const table = (height: number, width: number, value: (row: number, col: number) => number): number[] => Array.from({ length: height * width }, (_, index) => value(Math.floor(index / width), index % width))

describe('gradients of products with packed weights', () => {
  for (const isBackward of [false, true]) {
    it(`input, scales and zero points${isBackward ? ' of the backward form' : ''} are those of the dense weight`, async () => {
      const width = isBackward ? out : cols
      const made = isBackward ? cols : out
      const a = random(5, [rows, width])
      const dy = random(6, [rows, made])
      const { run, close } = await open(vjp(graph(isBackward), { of: ['y'], wrt: ['a', 'scales', 'zeros'] }))
      const result = await run({ ...weights, a: float32([rows, width], a), [seedOf('y')]: float32([rows, made], dy) })
      close()
      const w = (row: number, col: number): number => (isBackward ? dense(col, row) : dense(row, col)) // [made, width]
      expectClose(result[gradientOf('a')].data, table(rows, width, (row, col) => sum(made, (index) => dy[row * made + index] * w(index, col))))
      // y is linear in a scale: its gradient is ⟨dy, y⟩ with that scale 1 and all others 0.
      expectClose(result[gradientOf('scales')].data, table(out, groups, (row, part) => sum(group, (offset) => {
        const col = part * group + offset
        const value = codes[row * cols + col] - zeros[row * groups + part]
        return sum(rows, (index) => value * (isBackward ? a[index * out + row] * dy[index * cols + col] : a[index * cols + col] * dy[index * out + row]))
      })))
      expectClose(result[gradientOf('zeros')].data, table(out, groups, (row, part) => sum(group, (offset) => {
        const col = part * group + offset
        return sum(rows, (index) => -scales[row * groups + part] * (isBackward ? a[index * out + row] * dy[index * cols + col] : a[index * cols + col] * dy[index * out + row]))
      })))
    })
  }

  it('differentiate again: products with the Hessian of a square', async () => {
    const { run, close } = await open(hvp(graph(false), { loss: 'loss', wrt: ['a', 'scales'] }))
    const [a, va, vs] = [random(5, [rows, cols]), random(7, [rows, cols]), random(8, [out, groups])]
    const feeds = (da: number, ds: number): Record<string, Tensor> => ({
      ...weights,
      a: float32([rows, cols], a.map((value, index) => value + da * va[index])),
      scales: float32([out, groups], scales.map((value, index) => value + ds * vs[index])),
      [directionOf('a')]: float32([rows, cols], va),
      [directionOf('scales')]: float32([out, groups], vs),
    })
    const result = await run(feeds(0, 0))
    // The loss is of fourth order in (a, scales) together: differences of the gradient at ±1 and ±2 give its slope exactly.
    const [up, down, up2, down2] = [await run(feeds(1, 1)), await run(feeds(-1, -1)), await run(feeds(2, 2)), await run(feeds(-2, -2))]
    close()
    for (const name of ['a', 'scales']) {
      const at = (run_: typeof result): readonly number[] => run_[gradientOf(name)].data
      expectClose(result[productOf(name)].data, at(result).map((_, index) => (8 * (at(up)[index] - at(down)[index]) - (at(up2)[index] - at(down2)[index])) / 12))
    }
  })

  it('have no second derivative of scales and zero points together', () => {
    expect(() => hvp(graph(false), { loss: 'loss', wrt: ['scales', 'zeros'] })).toThrow(/zero points/)
  })
})
