/** @file Writes out operators that exist only for differentiation: as one node their own gradients are cheap, run they are standard nodes. */
import { createAlgebra } from '../graph/algebra.ts'
import { createEmitter } from '../graph/emitter.ts'
import { operatorName } from '../graph/operators.ts'
import { prune } from '../graph/prune.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { sortNodes } from '../graph/topology.ts'
import { convWeightGradient } from './lower/conv-weight-gradient.ts'
import type { Algebra } from '../graph/algebra.ts'
import type { Graph } from '../graph/graph.ts'
import type { NodeView } from '../graph/shapes/rule.ts'

/** Writes a node by others; returns its outputs. */
export type Lowering = (g: Algebra, view: NodeView) => readonly string[]

const lowerings: Readonly<Record<string, Lowering>> = { 'halftone:ConvWeightGradient': convWeightGradient }

/** The graph by operators that have kernels. */
export function lowerVirtual(graph: Graph): Graph {
  if (!graph.nodes.some((node) => operatorName(node) in lowerings)) return graph
  const g = createAlgebra(createEmitter(graph.opset))
  g.reserve(graph)
  for (const { name, type, shape } of graph.inputs) g.input(name, type, shape)
  for (const value of graph.initializers.values()) g.initializer(value)
  const outputs = new Map(graph.outputs.map((output) => [output.name, output]))
  for (const node of sortNodes(graph).nodes) {
    const lowering = lowerings[operatorName(node)]
    if (lowering === undefined) g.copy(node, outputs)
    else {
      const values = lowering(g, viewNode({ ...node, inputs: node.inputs.map((input) => g.resolve(input)) }, 1))
      node.outputs.forEach((output, index) => output !== '' && g.alias(output, values[index] ?? ''))
    }
  }
  return prune(g.build(graph.name, graph.outputs.map(({ name }) => [name, name] as const), graph.metadata))
}
