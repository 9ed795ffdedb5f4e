/** @file Constant nodes as initializers: their tensors are then found, and left in the file, like any other weight. */
import type { Graph, Node } from './graph.ts'

/** The graph without the Constant nodes of tensors, unless such a tensor is an output. */
export function liftConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const value = node.attributes.value
    const [name = ''] = node.outputs
    const isTensor = node.op === 'Constant' && node.domain === '' && value !== undefined && 'tensor' in value
    if (isTensor && !outputs.has(name) && !initializers.has(name)) initializers.set(name, { ...value.tensor, name })
    else nodes.push(node)
  }
  return { ...graph, nodes, initializers }
}
