/**
 * @file Scalar losses written behind a value of a graph. Rows are all axes but that of the classes; every loss is a mean over
 * rows, so that batches of different size compare.
 *   cross-entropy: −log softmax(x)[label], label −1 is not scored;   kl: Σ p_t (log p_t − log p_x) with p_t = softmax(target);
 *   mse: mean of (x − target)²;
 *   own-predictions: cross-entropy with labels drawn from softmax(x) itself by the uniform numbers in target, one a row. Its
 *   Hessian at the model is that of the KL divergence from it, and so is the mean outer product of its gradients (Martens 2020, §5).
 */
import { createAlgebra, type Algebra } from '../graph/algebra.ts'
import { copyGraph } from '../graph/copy.ts'
import { createEmitter } from '../graph/emitter.ts'
import { axisOf } from '../graph/shapes/rule.ts'
import type { Graph } from '../graph/graph.ts'

export const losses = ['cross-entropy', 'kl', 'mse', 'own-predictions'] as const
export type Loss = (typeof losses)[number]

export interface LossOptions {
  readonly loss: Loss
  /** The value the loss looks at: logits, or any output for mse. */
  readonly of: string
  /** Name of the graph input with labels (int64) or uniform numbers in the shape of `of` without the axis of classes, or with the reference in the shape of `of` (default 'target'). */
  readonly target?: string
  /** The axis of classes (default −1). */
  readonly axis?: number
  /** Name of the scalar output (default 'loss'). */
  readonly name?: string
}

type Write = (g: Algebra, x: string, target: string, axis: number) => string

/** −log softmax(x)[label] as [rows…]. */
function surprise(g: Algebra, x: string, labels: string, axis: number): string {
  const logs = g.one('LogSoftmax', [x], { axis: { int: axis } })
  return g.neg(g.squeeze(g.one('GatherElements', [logs, g.unsqueeze(labels, [axis])], { axis: { int: axis } }), [axis]))
}

function meanOf(g: Algebra, rows: string): string {
  return g.rank(rows) === 0 ? rows : g.one('ReduceMean', [rows], { keepdims: { int: 0 } })
}

const writers: Readonly<Record<Loss, Write>> = {
  'cross-entropy': (g, x, target, axis) => {
    const shape = g.shape(x).filter((_, at) => at !== axis)
    g.input(target, 'int64', shape)
    const isScored = g.compare('GreaterOrEqual', target, g.ints(0))
    const weights = g.cast(isScored, g.type(x))
    const count = g.one('Max', [g.sum(weights), g.scalar(1, x)])
    return g.div(g.sum(g.mul(surprise(g, x, g.where(isScored, target, g.ints(0)), axis), weights)), count)
  },
  kl: (g, x, target, axis) => {
    g.input(target, g.type(x), g.shape(x))
    const logs = g.one('LogSoftmax', [x], { axis: { int: axis } })
    const reference = g.one('LogSoftmax', [target], { axis: { int: axis } })
    return meanOf(g, g.sum(g.mul(g.unary('Exp', reference), g.sub(reference, logs)), [axis]))
  },
  mse: (g, x, target) => {
    g.input(target, g.type(x), g.shape(x))
    const difference = g.sub(x, target)
    return g.one('ReduceMean', [g.mul(difference, difference)], { keepdims: { int: 0 } })
  },
  'own-predictions': (g, x, target, axis) => {
    g.input(target, g.type(x), g.shape(x).filter((_, at) => at !== axis))
    // The label is how many classes end below the uniform number on the axis of cumulated probability.
    const ends = g.one('CumSum', [g.one('Softmax', [x], { axis: { int: axis } }), g.ints(axis)])
    const below = g.cast(g.compare('Less', ends, g.unsqueeze(target, [axis])), 'int64')
    const last = g.one('Sub', [g.squeeze(g.size(x, axis), [0]), g.ints(1)])
    const labels = g.one('Min', [g.sum(below, [axis]), last])
    return meanOf(g, surprise(g, x, labels, axis))
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

/** The graph with Σ weight · value of some scalars as another output. */
export function withSum(graph: Graph, terms: ReadonlyMap<string, number>, name: string): Graph {
  const g = createAlgebra(createEmitter(graph.opset))
  copyGraph(g, graph)
  const scaled = [...terms].map(([term, weight]) => g.scale(g.resolve(term), weight))
  const sum = scaled.length === 1 ? g.one('Identity', scaled) : g.one('Sum', scaled)
  return g.build(graph.name, [...graph.outputs.map((output) => [output.name, output.name] as const), [name, sum]], graph.metadata)
}
