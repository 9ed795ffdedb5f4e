/**
 * @file Computes what depends on nothing but weights, once, where that takes no more memory than the weights it replaces.
 * A Transpose of a weight is folded; an Expand, or a DequantizeLinear of packed weights, is not.
 */
import { elementCount, byteLength } from './element.ts'
import { isOperator, operatorName } from './operators.ts'
import { openGraph } from './open.ts'
import { prune } from './prune.ts'
import { staticShape } from './shapes/dimension.ts'
import { inferShapes } from './shapes/infer.ts'
import type { Graph, Initializer, Node } from './graph.ts'

/** Results up to this size are always kept: shapes, scales, masks of short texts. */
const SMALL_BYTES = 4096

/** The graph with constant nodes replaced by their results. Runs them in the runtime. */
export async function fold(graph: Graph): Promise<Graph> {
  const whole = inferShapes(prune(graph))
  const constant = constantNodes(whole)
  const roots = folded(whole, constant)
  if (roots.length === 0) return graph
  const part = prune({ ...whole, inputs: [], nodes: whole.nodes.filter((node) => constant.has(node)), outputs: roots.map((name) => whole.values.get(name) ?? { name, type: 'float32', shape: null }) })
  const session = await openGraph(part, { threads: 1 })
  const results = await session.run({}, Object.fromEntries(roots.map((name) => [name, null])))
  session.dispose()
  const initializers = new Map<string, Initializer>(whole.initializers)
  for (const [name, { type, dims, data }] of Object.entries(results)) {
    initializers.set(name, { name, type, dims, data: new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)) })
  }
  const made = new Set(roots)
  return prune({ ...graph, initializers, nodes: whole.nodes.filter(({ outputs }) => !outputs.some((output) => made.has(output))), values: whole.values })
}

/** Nodes of the set that read initializers and results of such nodes only. */
function constantNodes({ nodes, initializers }: Graph): ReadonlySet<Node> {
  const known = new Set(initializers.keys())
  const found = new Set<Node>()
  for (const node of nodes) {
    if (!isOperator(operatorName(node)) || node.domain !== '' || !node.inputs.every((input) => input === '' || known.has(input))) continue
    found.add(node)
    for (const output of node.outputs) known.add(output)
  }
  return found
}

/** Values to compute: read by what is not constant, small or no larger than the weights that nothing else reads then. */
function folded(graph: Graph, constant: ReadonlySet<Node>): string[] {
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const readers = new Map<string, Node[]>()
  for (const node of graph.nodes) for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node])
  const maker = new Map([...constant].flatMap((node) => node.outputs.map((output) => [output, node] as const)))

  /** Bytes of the initializers that only `value` is made from. */
  function freedBytes(value: string, by: Node | null): number {
    if (by !== null && (readers.get(value)?.some((reader) => reader !== by) === true || outputs.has(value))) return 0
    const initializer = graph.initializers.get(value)
    if (initializer !== undefined) return byteLength(initializer.type, initializer.dims)
    const node = maker.get(value)
    return node === undefined ? 0 : [...new Set(node.inputs)].reduce((sum, input) => sum + freedBytes(input, node), 0)
  }

  return [...maker.keys()].filter((value) => {
    const isNeeded = outputs.has(value) || readers.get(value)?.some((reader) => !constant.has(reader)) === true
    const info = graph.values.get(value)
    const dims = staticShape(info?.shape ?? null)
    if (value === '' || !isNeeded || info === undefined || dims === null || elementCount(dims) === 0) return false
    const bytes = byteLength(info.type, dims)
    return bytes <= SMALL_BYTES || bytes <= freedBytes(value, null)
  })
}
