/**
 * @file Weights that lie in the graphs of If, Loop and Scan, moved to the graph around all of them, where they are found and stored
 * like any other. Names that several of those graphs use for their own are made unique on the way.
 */
import { elementCount } from './element.ts'
import { liftConstants } from './lift.ts'
import type { Attribute, Graph, Initializer, Node } from './graph.ts'

/** Smaller tensors are shapes and biases, and stay where they are. */
const ELEMENTS_MIN = 256

const floats: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64'])

/** Calls `change` on the graphs in a node's attributes. */
function withBodies(node: Node, change: (body: Graph) => Graph): Node {
  if (!Object.values(node.attributes).some((value) => 'graph' in value)) return node
  return { ...node, attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]): [string, Attribute] => [key, 'graph' in value ? { graph: change(value.graph) } : value])) }
}

/** How often each name is defined, in the graph and in those inside it. */
export function definitions(graph: Graph, counts = new Map<string, number>()): Map<string, number> {
  const names = [...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]
  for (const name of names) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const node of graph.nodes) for (const value of Object.values(node.attributes)) if ('graph' in value) definitions(value.graph, counts)
  return counts
}

/** The graph with the weights of all inner graphs among its own initializers. */
export function hoistWeights(graph: Graph): Graph {
  const defined = definitions(graph)
  const hoisted = new Map<string, Initializer>()

  function unique(name: string): string {
    if (defined.get(name) === 1) return name
    for (let count = 1; ; count++) {
      const other = `${name}_${count}`
      if (!defined.has(other) && !hoisted.has(other)) return other
    }
  }

  function inner(given: Graph, outer: ReadonlyMap<string, string>): Graph {
    const body = liftConstants(given)
    const outputs = new Set(body.outputs.map(({ name }) => name))
    const moved = [...body.initializers.values()].filter(({ name, type, dims }) => dims.length > 1 && elementCount(dims) >= ELEMENTS_MIN && floats.has(type) && !outputs.has(name))
    const renamed = new Map(outer)
    for (const value of moved) {
      const name = unique(value.name)
      renamed.set(value.name, name)
      hoisted.set(name, { ...value, name })
    }
    const gone = new Set(moved.map(({ name }) => name))
    return {
      ...body,
      nodes: body.nodes.map((node) => withBodies({ ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) }, (deeper) => inner(deeper, renamed))),
      initializers: new Map([...body.initializers].filter(([name]) => !gone.has(name))),
    }
  }

  const nodes = graph.nodes.map((node) => withBodies(node, (body) => inner(body, new Map())))
  return hoisted.size === 0 ? graph : { ...graph, nodes, initializers: new Map([...graph.initializers, ...hoisted]) }
}
