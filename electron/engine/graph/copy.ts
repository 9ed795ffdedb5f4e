/** @file Writes a whole graph into an emitter: what every transformation starts with. Equal nodes become one on the way. */
import { sortNodes } from './topology.ts'
import type { Emitter } from './emitter.ts'
import type { Graph, ValueInfo } from './graph.ts'

/** Copies inputs, initializers and nodes of `graph`; values in `apart` are not merged with equal ones. */
export function copyGraph(e: Emitter, graph: Graph, apart: ReadonlySet<string> = new Set()): void {
  e.reserve(graph)
  for (const { name, type, shape } of graph.inputs) e.input(name, type, shape)
  for (const value of graph.initializers.values()) e.initializer(value)
  const declared = new Map<string, ValueInfo>([...graph.values, ...graph.outputs.map((output) => [output.name, output] as const)])
  for (const node of sortNodes(graph).nodes) e.copy(node, declared, !node.outputs.some((output) => apart.has(output)))
}
