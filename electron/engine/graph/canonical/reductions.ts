/** @file Reductions written by sums. Each keeps the axes and flags of the original. */
import type { Algebra } from '../algebra.ts'
import { without, type Form, type FormNode } from './form.ts'
import { axesInput } from './attributes.ts'

type Reduce = (value: string, op?: 'ReduceSum' | 'ReduceMax', keep?: boolean) => string

/** The node's own reduction, of another value. */
function reducer(g: Algebra, node: FormNode): Reduce {
  const listed = node.ints('axes')
  const given = listed === null ? node.inputs[1] ?? '' : g.ints(listed)
  return (value, op = 'ReduceSum', keep = false) => {
    const attributes = without(node, 'axes')
    return g.one(op, given === '' ? [value] : [value, given], keep ? { ...attributes, keepdims: { int: 1 } } : attributes)
  }
}

function reduction(write: (g: Algebra, x: string, reduce: Reduce) => string): Form {
  return (g, node) => [write(g, node.inputs[0], reducer(g, node))]
}

export const reductions: Readonly<Record<string, Form>> = {
  ReduceSum: axesInput,
  ReduceMean: axesInput,
  ReduceMax: axesInput,
  ReduceMin: axesInput,
  ReduceProd: axesInput,
  ReduceL1: reduction((g, x, reduce) => reduce(g.unary('Abs', x))),
  ReduceL2: reduction((g, x, reduce) => g.unary('Sqrt', reduce(g.mul(x, x)))),
  ReduceSumSquare: reduction((g, x, reduce) => reduce(g.mul(x, x))),
  ReduceLogSum: reduction((g, x, reduce) => g.unary('Log', reduce(x))),
  // The maximum is taken out, so that no exponential overflows; its gradient cancels.
  ReduceLogSumExp: reduction((g, x, reduce) => {
    const shift = g.sub(x, reduce(x, 'ReduceMax', true))
    return g.add(g.unary('Log', reduce(g.unary('Exp', shift))), reduce(x, 'ReduceMax'))
  }),
  GlobalMaxPool: (g, { inputs: [x] }) => [g.one('ReduceMax', [x, g.ints(g.shape(x).slice(2).map((_, axis) => axis + 2))])],
}
