/** @file What of a graph has no derivative, once everything that can be is written by operators that do. */
import { AppError } from '../../contract/errors.ts'
import { canonical } from '../graph/canonical.ts'
import { isOperator, operatorName } from '../graph/operators.ts'
import type { Graph } from '../graph/graph.ts'

/** Operators whose gradients are not known, with the name of a node (or its output) of each. */
export function obstaclesOf(graph: Graph): ReadonlyMap<string, string> {
  return new Map(written(graph).nodes.flatMap((node) => {
    const name = operatorName(node)
    return isOperator(name) ? [] : [[name, node.name === '' ? node.outputs[0] ?? '' : node.name] as const]
  }))
}

/** The canonical form, or the graph itself where sizes that only data tells are needed for that. */
function written(graph: Graph): Graph {
  try {
    return canonical(graph)
  } catch (cause) {
    if (cause instanceof AppError) return graph
    throw cause
  }
}
