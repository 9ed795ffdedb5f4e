/** @file What must hold of a graph from a file before anything else looks at it: known operator sets, unique names, every value made. */
import { malformed } from '../io/problems.ts'
import { AppError } from '../../contract/errors.ts'
import { OPSET_MAX, OPSET_MIN } from './limits.ts'
import { nodeReads, sortNodes } from './topology.ts'
import type { Graph } from './graph.ts'

/** Checks a graph read from a file and returns it with its nodes in order of computation. */
export function validate(graph: Graph, where: string): Graph {
  const version = graph.opset['']
  if (version === undefined) throw malformed(where, `no version of the standard operators (only ${Object.keys(graph.opset).join(', ')})`, 'an ai.onnx operator set')
  if (version < OPSET_MIN || version > OPSET_MAX) {
    throw new AppError('unsupported-operator', `${where}: found operator set ${version}, expected ${OPSET_MIN} to ${OPSET_MAX}`, { hint: `Export the model with an operator set from ${OPSET_MIN} to ${OPSET_MAX}, or convert it (onnx.version_converter).` })
  }

  const made = new Set<string>()
  const define = (name: string, by: string): void => {
    if (name === '') return
    if (made.has(name)) throw malformed(where, `two makers of value '${name}' (the second is ${by})`, 'unique names')
    made.add(name)
  }
  for (const input of graph.inputs) define(input.name, 'a graph input')
  for (const name of graph.initializers.keys()) define(name, 'an initializer')
  for (const node of graph.nodes) {
    for (const output of node.outputs) define(output, `node '${node.name}' (${node.op})`)
    if (node.domain !== '' && graph.opset[node.domain] === undefined) throw malformed(where, `node '${node.name}' (${node.op}) of the operator set '${node.domain}', which the model does not import`, 'an imported operator set')
  }
  for (const node of graph.nodes) {
    for (const name of nodeReads(node)) if (!made.has(name)) throw malformed(where, `node '${node.name}' (${node.op}) reading '${name}', which nothing makes`, 'inputs made by a node, an input or an initializer')
  }
  for (const { name } of graph.outputs) if (!made.has(name)) throw malformed(where, `the output '${name}', which nothing makes`, 'outputs made by a node')
  if (graph.outputs.length === 0) throw malformed(where, 'no outputs', 'at least one')
  return sortNodes(graph)
}
