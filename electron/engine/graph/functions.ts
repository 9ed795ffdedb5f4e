/** @file Local functions (ONNX FunctionProto) are written out at each call: later passes see operators only. */
import { AppError } from '../../contract/errors.ts'
import { malformed } from '../io/problems.ts'
import { FUNCTION_DEPTH_MAX, NODES_MAX } from './limits.ts'
import type { FunctionNode, LocalFunction } from './decode.ts'
import type { Attribute, Graph, Node } from './graph.ts'

/** `graph` with every call of a local function replaced by the function's nodes; inner names get the call's output as prefix. */
export function inlineFunctions(graph: Graph, functions: readonly LocalFunction[], where: string): Graph {
  if (functions.length === 0) return graph
  const byName = new Map(functions.map((called) => [`${called.domain}::${called.name}`, called]))
  const opset = { ...graph.opset }
  const nodes: Node[] = []
  let calls = 0

  function add(node: Node, depth: number): void {
    const called = byName.get(`${node.domain}::${node.op}`)
    if (nodes.length >= NODES_MAX) throw malformed(where, `more than ${NODES_MAX} nodes after inlining of functions`, 'fewer')
    if (called === undefined) {
      for (const value of Object.values(node.attributes)) if ('graph' in value) refuseCalls(value.graph)
      nodes.push(node)
      return
    }
    if (depth > FUNCTION_DEPTH_MAX) throw malformed(where, `function '${called.name}' inside itself, or ${FUNCTION_DEPTH_MAX} functions deep`, 'functions that do not call themselves')
    checkOpset(called)
    const prefix = `${called.name}_${calls++}/`
    const rename = new Map<string, string>([['', '']])
    called.inputs.forEach((name, index) => rename.set(name, node.inputs[index] ?? ''))
    called.outputs.forEach((name, index) => {
      const output = node.outputs[index] ?? ''
      // A function may hand an input on as its output: that needs a node of its own.
      if (rename.has(name) && output !== '') nodes.push({ op: 'Identity', domain: '', name: '', inputs: [rename.get(name) ?? ''], outputs: [output], attributes: {} })
      else if (output !== '') rename.set(name, output)
    })
    const local = (name: string): string => rename.get(name) ?? prefix + name
    for (const inner of called.nodes) {
      if (Object.values(inner.attributes).some((value) => 'graph' in value)) throw refused(`function '${called.name}' holds ${inner.op} with a graph of its own`)
      const attributes = substitute(inner, node.attributes, called.attributes)
      add({ op: inner.op, domain: inner.domain, name: inner.name === '' ? '' : prefix + inner.name, inputs: inner.inputs.map(local), outputs: inner.outputs.map(local), attributes }, depth + 1)
    }
  }

  function refuseCalls(inner: Graph): void {
    for (const node of inner.nodes) {
      if (byName.has(`${node.domain}::${node.op}`)) throw refused(`function '${node.op}' is called inside the graph of an If, Loop or Scan`)
      for (const value of Object.values(node.attributes)) if ('graph' in value) refuseCalls(value.graph)
    }
  }

  function refused(what: string): AppError {
    return new AppError('unsupported-operator', `${where}: ${what}; expected functions of plain operators`, { hint: 'Export the model with its functions inlined (onnx.inliner.inline_local_functions).' })
  }

  function checkOpset(called: LocalFunction): void {
    for (const [domain, version] of Object.entries(called.opset)) {
      const own = opset[domain]
      if (own !== undefined && own !== version) throw refused(`function '${called.name}' needs version ${version} of operator set '${domain === '' ? 'ai.onnx' : domain}', the model has ${own}`)
      opset[domain] = version
    }
  }

  for (const node of graph.nodes) add(node, 0)
  const used = new Set(nodes.map(({ domain }) => domain))
  return { ...graph, opset: Object.fromEntries(Object.entries(opset).filter(([domain]) => domain === '' || used.has(domain))), nodes }
}

function substitute(node: FunctionNode, given: Readonly<Record<string, Attribute>>, defaults: Readonly<Record<string, Attribute>>): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = { ...node.attributes }
  for (const [own, reference] of Object.entries(node.references)) {
    const value = given[reference] ?? defaults[reference]
    if (value !== undefined) attributes[own] = value
  }
  return attributes
}
