/** @file Order of computation. Graphs in attributes (If, Loop) read values of the graph around them; those count as inputs of the node. */
import { AppError } from '../../contract/errors.ts'
import type { Graph, Node } from './graph.ts'

/** Names a node reads: its inputs, and what the graphs in its attributes take from outside. */
export function nodeReads(node: Node): readonly string[] {
  const reads = node.inputs.filter((name) => name !== '')
  for (const value of Object.values(node.attributes)) if ('graph' in value) reads.push(...graphCaptures(value.graph))
  return reads
}

/** Names a graph reads without defining them. */
export function graphCaptures(graph: Graph): string[] {
  const own = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)])
  return [...graph.nodes.flatMap(nodeReads), ...graph.outputs.map(({ name }) => name)].filter((name) => !own.has(name))
}

/** Index of the node that makes each value. */
export function producers(nodes: readonly Node[]): Map<string, number> {
  const made = new Map<string, number>()
  nodes.forEach((node, index) => {
    for (const output of node.outputs) if (output !== '') made.set(output, index)
  })
  return made
}

/** The graph with its nodes in an order of computation, stable where the order is free. Throws where a node waits for itself. */
export function sortNodes(graph: Graph): Graph {
  const made = producers(graph.nodes)
  const state = new Uint8Array(graph.nodes.length) // 0 new, 1 being visited, 2 done
  const order: Node[] = []

  for (let root = 0; root < graph.nodes.length; root++) {
    // Depth first without recursion: real graphs are chains of thousands of nodes.
    const stack = [root]
    while (stack.length > 0) {
      const index = stack[stack.length - 1] ?? 0
      const node = graph.nodes[index]
      if (node === undefined || state[index] === 2) {
        stack.pop()
        continue
      }
      const waiting = nodeReads(node).map((name) => made.get(name)).filter((maker) => maker !== undefined && state[maker] !== 2)
      if (waiting.length === 0) {
        state[index] = 2
        order.push(node)
        stack.pop()
      } else {
        if (state[index] === 1) throw cycle(graph, stack)
        state[index] = 1
        for (const maker of waiting.reverse()) if (maker !== undefined) stack.push(maker)
      }
    }
  }
  return { ...graph, nodes: order }
}

function cycle(graph: Graph, stack: readonly number[]): AppError {
  const names = [...new Set(stack)].map((index) => graph.nodes[index]).map((node) => `${node?.name === '' ? node.outputs[0] ?? '' : node?.name ?? ''} (${node?.op ?? ''})`)
  return new AppError('file-malformed', `graph '${graph.name}': found a cycle through ${names.slice(-8).join(', ')}; expected nodes that do not wait for themselves`, { hint: 'The file is damaged, or made by a faulty tool: export the model again.' })
}
