/**
 * @file Scalar losses written behind a value of a graph. Rows are all axes but that of the classes; every loss is a mean over
 * rows, so that batches of different size compare.
 *   cross-entropy: −log softmax(x)[label], label −1 is not scored;   kl: Σ p_t (log p_t − log p_x) with p_t = softmax(target);
 *   mse: mean of (x − target)².
 */
import { createAlgebra, type Algebra } from '../graph/algebra.ts'
import { copyGraph } from '../graph/copy.ts'
import { createEmitter } from '../graph/emitter.ts'
import { axisOf } from '../graph/shapes/rule.ts'
import type { Graph } from '../graph/graph.ts'

export const losses = ['cross-entropy', 'kl', 'mse'] as const
export type Loss = (typeof losses)[number]

export interface LossOptions {
  readonly loss: Loss
  /** The value the loss looks at: logits, or any output for mse. */
  readonly of: string
  /** Name of the graph input with labels (int64, the shape of `of` without the axis of classes), or with the reference in the shape of `of` (default 'target'). */
  readonly target?: string
  /** The axis of classes (default −1). */
  readonly axis?: number
  /** Name of the scalar output (default 'loss'). */
  readonly name?: string
}

type Write = (g: Algebra, x: string, target: string, axis: number) => string

const writers: Readonly<Record<Loss, Write>> = {
  'cross-entropy': (g, x, target, axis) => {
    const shape = g.shape(x).filter((_, at) => at !== axis)
    g.input(target, 'int64', shape)
    const logs = g.one('LogSoftmax', [x], { axis: { int: axis } })
    const isScored = g.compare('GreaterOrEqual', target, g.ints(0))
    const labels = g.where(isScored, target, g.ints(0))
    const picked = g.squeeze(g.one('GatherElements', [logs, g.unsqueeze(labels, [axis])], { axis: { int: axis } }), [axis])
    const weights = g.cast(isScored, g.type(x))
    const count = g.one('Max', [g.sum(weights), g.scalar(1, x)])
    return g.neg(g.div(g.sum(g.mul(picked, weights)), count))
  },
  kl: (g, x, target, axis) => {
    g.input(target, g.type(x), g.shape(x))
    const logs = g.one('LogSoftmax', [x], { axis: { int: axis } })
    const reference = g.one('LogSoftmax', [target], { axis: { int: axis } })
    const perRow = g.sum(g.mul(g.unary('Exp', reference), g.sub(reference, logs)), [axis])
    return g.rank(perRow) === 0 ? perRow : g.one('ReduceMean', [perRow], { keepdims: { int: 0 } })
  },
  mse: (g, x, target) => {
    g.input(target, g.type(x), g.shape(x))
    const difference = g.sub(x, target)
    return g.one('ReduceMean', [g.mul(difference, difference)], { keepdims: { int: 0 } })
  },
}

/** The graph with the loss as another output and its target as another input. */
export function withLoss(graph: Graph, { loss, of, target = 'target', axis = -1, name = 'loss' }: LossOptions): Graph {
  const g = createAlgebra(createEmitter(graph.opset))
  copyGraph(g, graph)
  const x = g.resolve(of)
  const scalar = writers[loss](g, x, target, axisOf(axis, g.rank(x), `loss of '${of}'`))
  return g.build(graph.name, [...graph.outputs.map((output) => [output.name, output.name] as const), [name, scalar]], graph.metadata)
}
