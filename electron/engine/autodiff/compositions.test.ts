import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBuilder, type Builder } from '../graph/builder.ts'
import { directionOf, hvp, productOf } from './hvp.ts'
import { gradientOf } from './vjp.ts'
import { float64, open, random } from './check/run.ts'
import type { Graph } from '../graph/graph.ts'

/** A value of the random graph: all have the shape [2, 3, 4] of the inputs. */
type Step = (b: Builder, a: string, c: string) => string

const shape = [2, 3, 4]
const int = (value: number): { int: number } => ({ int: value })
const unary = (op: string): Step => (b, a) => b.one(op, [a])
const binary = (op: string): Step => (b, a, c) => b.one(op, [a, c])
const half = (b: Builder): string => b.floats(0.5, 'float64')

/** Smooth steps, kept in a range where second differences have digits left. */
const steps: Readonly<Record<string, Step>> = {
  tanh: unary('Tanh'),
  sigmoid: unary('Sigmoid'),
  sin: unary('Sin'),
  gelu: (b, a) => b.one('Gelu', [a], { approximate: { string: 'tanh' } }),
  softplus: unary('Softplus'),
  square: (b, a) => b.one('Mul', [half(b), b.one('Pow', [b.one('Tanh', [a]), b.floats(2, 'float64')])]),
  add: binary('Add'),
  mul: (b, a, c) => b.one('Mul', [b.one('Tanh', [a]), c]),
  ratio: (b, a, c) => b.one('Div', [a, b.one('Add', [b.one('Mul', [c, c]), b.floats(1, 'float64')])]),
  softmax: (b, a) => b.one('Softmax', [a], { axis: int(1) }),
  logSoftmax: (b, a) => b.one('Mul', [half(b), b.one('LogSoftmax', [a])]),
  norm: (b, a, c) => b.one('LayerNormalization', [a, b.one('ReduceMean', [c, b.ints([0, 1])], { keepdims: int(0) })], { axis: int(-1), epsilon: { float: 1 } }),
  product: (b, a, c) => b.one('Mul', [half(b), b.one('MatMul', [b.one('MatMul', [a, b.one('Transpose', [c], { perm: { ints: [0, 2, 1] } })]), b.one('Tanh', [a])])]),
  weighted: (b, a, c) => b.one('MatMul', [a, b.one('Gather', [b.one('MatMul', [b.one('Transpose', [c], { perm: { ints: [0, 2, 1] } }), c]), b.ints(1)])]),
  einsum: (b, a, c) => b.one('Einsum', [a, b.one('Tanh', [c])], { equation: { string: 'bij,bkj->bik' } }, { outputs: 1 }),
  mean: (b, a, c) => b.one('Add', [b.one('ReduceMean', [a, b.ints([2])]), c]),
  centered: (b, a) => b.one('Sub', [a, b.one('ReduceSum', [b.one('Mul', [half(b), a]), b.ints([1])])]),
  parts: (b, a, c) => {
    const [first, second] = b.node('Split', [a, b.ints([1, 3])], { axis: int(2) }, { outputs: 2 })
    return b.one('Concat', [b.one('Mul', [second, b.one('Slice', [c, b.ints([1]), b.ints([4]), b.ints([2])])]), first], { axis: int(2) })
  },
  gathered: (b, a) => b.one('Gather', [a, b.ints([1, 1, 0])], { axis: int(1) }),
  summed: (b, a) => b.one('Mul', [half(b), b.one('CumSum', [a, b.ints(2)])]),
  reshaped: (b, a, c) => b.one('Reshape', [b.one('Gemm', [b.one('Reshape', [a, b.ints([6, 4])]), b.one('Slice', [b.one('Reshape', [c, b.ints([6, 4])]), b.ints([0]), b.ints([4]), b.ints([0])])], { transB: int(1) }), b.ints(shape)]),
}
// An einsum to [2, 3, 3] is put back to [2, 3, 4] by a pad.
const einsum = steps.einsum
const table: Readonly<Record<string, Step>> = { ...steps, einsum: (b, a, c) => b.one('Pad', [einsum(b, a, c), b.ints([0, 0, 0, 0, 0, 1])]) }

interface Plan {
  readonly steps: readonly { readonly name: string; readonly first: number; readonly second: number }[]
  readonly seed: number
}

const plans: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(fc.record({ name: fc.constantFrom(...Object.keys(table)), first: fc.nat(100), second: fc.nat(100) }), { minLength: 2, maxLength: 9 }),
  seed: fc.integer({ min: 1, max: 10_000 }),
})

function graphOf(plan: Plan): Graph {
  const b = createBuilder()
  const values = [b.input('x', 'float64', shape), b.input('w', 'float64', shape)]
  for (const { name, first, second } of plan.steps) values.push(table[name](b, values[values.length - 1 - (first % Math.min(3, values.length))], values[second % values.length]))
  const last = values.slice(-2)
  const weights = b.one('Reshape', [b.floats(random(plan.seed + 3, shape), 'float64'), b.ints(shape)])
  const loss = b.one('ReduceSum', [b.one('Mul', [b.one('Add', [last[0], last[1]]), weights])], { keepdims: int(0) })
  b.output(b.one('Identity', [loss], {}, { outputs: ['loss'] }), 'float64', [])
  return b.build('composition')
}

const STEP = 1e-4

describe('random compositions', () => {
  it('have the gradients and Hessian-vector products of central differences', async () => {
    await fc.assert(fc.asyncProperty(plans, async (plan) => {
      const names = ['x', 'w']
      const both = await open(hvp(graphOf(plan), { loss: 'loss', wrt: names, keep: ['loss'] }))
      const at = Object.fromEntries(names.map((name, index) => [name, random(plan.seed + index, shape)]))
      const v = Object.fromEntries(names.map((name, index) => [name, random(plan.seed + 7 + index, shape)]))
      const run = (by: number): ReturnType<typeof both.run> => both.run(Object.fromEntries(names.flatMap((name) => [
        [name, float64(shape, at[name].map((value, place) => value + by * v[name][place]))], [directionOf(name), float64(shape, v[name])],
      ])))
      // Differences of fourth order: (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12 h.
      const [middle, up, down, up2, down2] = [await run(0), await run(STEP), await run(-STEP), await run(2 * STEP), await run(-2 * STEP)]
      both.close()
      const slope = (of: (result: typeof middle) => number): number => (8 * (of(up) - of(down)) - (of(up2) - of(down2))) / (12 * STEP)
      const along = (result: typeof middle): number => names.reduce((sum, name) => sum + result[gradientOf(name)].data.reduce((part, value, place) => part + value * v[name][place], 0), 0)
      const curve = names.reduce((sum, name) => sum + middle[productOf(name)].data.reduce((part, value, place) => part + value * v[name][place], 0), 0)
      const [first, second] = [slope((result) => result.loss.data[0]), slope(along)]
      const size = (value: number): number => 1e-7 * (1 + Math.abs(value) + Math.max(...names.flatMap((name) => middle[gradientOf(name)].data.map(Math.abs))))
      expect(Math.abs(along(middle) - first)).toBeLessThan(size(first))
      expect(Math.abs(curve - second)).toBeLessThan(10 * size(second))
    }), { numRuns: 60, seed: 1729 })
  })
})
