/**
 * @file Type and shape of every value. A size that no rule can tell gets a symbol of its own ("?conv1.2"), so that values which
 * share it are known to agree; numbers of small constants are carried along, because exported models compute shapes.
 */
import { byteLength, elementCount, typedArray } from '../element.ts'
import { isOperator, operatorName } from '../operators.ts'
import { sortNodes } from '../topology.ts'
import { viewShapes, type Known } from './rule.ts'
import { shapeRules } from './table.ts'
import type { Dimension, Graph, Initializer, Node, ValueInfo } from '../graph.ts'

/** Constants of more elements are weights, not shapes. */
const ELEMENTS_MAX = 64

const unknown: Known = { type: 'undefined', shape: null }

/** What is known of values while a graph is walked or written. */
export interface Shapes {
  known(name: string): Known
  has(name: string): boolean
  addValue(info: ValueInfo): void
  addInitializer(value: Initializer): void
  /** Infers the outputs of `node`; `declared` fills what the rule leaves open. */
  addNode(node: Node, declared?: ReadonlyMap<string, ValueInfo>): void
  /** The same knowledge under another name. */
  addAlias(name: string, of: string): void
}

/** Nothing known yet. `opset` decides between versions of an operator. */
export function createShapes(opset: Readonly<Record<string, number>>): Shapes {
  const values = new Map<string, Known>()

  /** Symbols carry the name of the value, which transformations keep: the same symbol is the same size in all of them. */
  function named(name: string, known: Known): Known {
    if (known.shape?.includes(null) !== true) return known
    const stem = name.replace(/[^\w.:/-]/g, (letter) => `%${letter.charCodeAt(0)}`)
    return { ...known, shape: known.shape.map((size, axis) => size ?? `?${stem}.${axis}`) }
  }

  function infer(node: Node): readonly Known[] {
    const name = operatorName(node)
    if (!isOperator(name)) return []
    const inputs = node.inputs.map((input) => (input === '' ? null : values.get(input) ?? unknown))
    return shapeRules[name](viewShapes(node, opset[node.domain] ?? 1, inputs))
  }

  return {
    known: (name) => values.get(name) ?? unknown,
    has: (name) => values.has(name),
    addValue: ({ name, type, shape }) => void values.set(name, named(name, { type, shape })),
    addInitializer({ name, type, dims, data }) {
      const isSmall = data instanceof Uint8Array && elementCount(dims) <= ELEMENTS_MAX && data.length === byteLength(type, dims)
      values.set(name, { type, shape: dims, elements: isSmall ? Array.from<number | bigint, Dimension>(typedArray(type, data), Number) : undefined })
    },
    addNode(node, declared) {
      const outputs = infer(node)
      node.outputs.forEach((name, index) => {
        if (name !== '') values.set(name, named(name, merge(outputs[index] ?? unknown, declared?.get(name))))
      })
    },
    addAlias: (name, of) => void values.set(name, values.get(of) ?? unknown),
  }
}

/** What is inferred, and where that is nothing, what the file declares. */
function merge(inferred: Known, declared: ValueInfo | undefined): Known {
  if (declared === undefined) return inferred
  const type = inferred.type === 'undefined' ? declared.type : inferred.type
  const { shape } = declared
  if (inferred.shape === null) return { ...inferred, type, shape }
  if (shape === null || shape.length !== inferred.shape.length) return { ...inferred, type }
  return { ...inferred, type, shape: inferred.shape.map((size, axis) => size ?? shape[axis] ?? null) }
}

/** The graph with `values` and the shapes of its outputs filled in; nodes in order of computation. */
export function inferShapes(graph: Graph): Graph {
  const sorted = sortNodes(graph)
  const shapes = createShapes(graph.opset)
  for (const input of graph.inputs) shapes.addValue(input)
  for (const value of graph.initializers.values()) shapes.addInitializer(value)
  const declared = new Map([...graph.values, ...graph.outputs.map((output) => [output.name, output] as const)])
  const values = new Map<string, ValueInfo>()
  for (const node of sorted.nodes) {
    shapes.addNode(node, declared)
    for (const name of node.outputs) if (name !== '') values.set(name, info(name, shapes.known(name)))
  }
  return { ...sorted, values, outputs: graph.outputs.map((output) => (shapes.has(output.name) ? info(output.name, shapes.known(output.name)) : output)) }
}

function info(name: string, { type, shape }: Known): ValueInfo {
  return { name, type, shape }
}
