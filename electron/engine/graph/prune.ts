/** @file Drops nodes and initializers that no output needs: the runtime would compute them all the same. */
import { nodeReads, producers } from './topology.ts'
import type { Graph } from './graph.ts'

/** Operators whose outputs after the first are computed only if they are named. */
const optionalOutputs: ReadonlySet<string> = new Set(['MaxPool', 'LayerNormalization', 'SimplifiedLayerNormalization', 'Dropout', 'BatchNormalization'])

/** The graph without dead nodes, dead outputs of nodes and unused initializers. Inputs stay: they are what callers feed. */
export function prune(graph: Graph): Graph {
  const made = producers(graph.nodes)
  const needed = new Set<string>()
  const live = new Set<number>()
  const stack = graph.outputs.map(({ name }) => name)
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (needed.has(name)) continue
    needed.add(name)
    const index = made.get(name)
    const node = index === undefined ? undefined : graph.nodes[index]
    if (index === undefined || node === undefined || live.has(index)) continue
    live.add(index)
    stack.push(...nodeReads(node))
  }
  const nodes = graph.nodes.filter((_, index) => live.has(index)).map((node) => {
    if (!optionalOutputs.has(node.op)) return node
    const last = node.outputs.findLastIndex((output) => needed.has(output))
    return { ...node, outputs: node.outputs.slice(0, Math.max(1, last + 1)) }
  })
  return {
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    values: new Map([...graph.values].filter(([name]) => needed.has(name))),
  }
}
