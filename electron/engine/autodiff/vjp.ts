/**
 * @file Reverse-mode differentiation as a graph-to-graph transformation. For outputs y and values x, vjp writes the graph
 * that, given seeds ȳ in the shapes of y, computes x̄ = Jᵀ ȳ, by standard operators only. The set of operators is closed, so the
 * result may be differentiated again (hvp.ts, jvp.ts). Source: Griewank & Walther, Evaluating Derivatives, ch. 3.
 */
import { AppError, assert } from '../../contract/errors.ts'
import { createAlgebra, type Algebra } from '../graph/algebra.ts'
import { copyGraph } from '../graph/copy.ts'
import { createEmitter } from '../graph/emitter.ts'
import { isConstant, isDifferentiable, operatorName } from '../graph/operators.ts'
import { prune } from '../graph/prune.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { sortNodes } from '../graph/topology.ts'
import { lowerVirtual } from './lower.ts'
import { rules } from './rules/table.ts'
import type { Graph, Node } from '../graph/graph.ts'

export interface VjpOptions {
  /** Values to differentiate. */
  readonly of: readonly string[]
  /** Inputs, initializers or inner values to differentiate with respect to. */
  readonly wrt: readonly string[]
  /** What flows into `of`: graph inputs `seed:NAME` (default), or ones. */
  readonly seed?: 'inputs' | 'ones'
  /** Values that stay (or become) outputs. */
  readonly keep?: readonly string[]
  /** Tables in `wrt` whose gradient through Gather is given as `grad:NAME:indices` [n] and `grad:NAME:rows` [n, …] in place of a whole table. */
  readonly sparse?: readonly string[]
  readonly seedName?: (of: string) => string
  readonly gradientName?: (wrt: string) => string
  /** Leave operators that have no kernel of their own (ConvWeightGradient): only for graphs that are differentiated again. */
  readonly virtual?: boolean
}

export const seedOf = (name: string): string => `seed:${name}`
export const gradientOf = (name: string): string => `grad:${name}`

/** Codes of a packed weight: the gradient asked for is that of the weights they stand for. */
const PACKED = 'uint8'
const floatTypes: ReadonlySet<string> = new Set(['float32', 'float64', 'float16', 'bfloat16', 'undefined'])

/** Sparse gradient of a table: places read, and what flowed into them. */
interface Rows {
  readonly indices: string
  readonly rows: string
}

/** The graph of gradients; outputs are `keep`, then `grad:NAME` for every name in `wrt`. @throws AppError unsupported-operator, bad-request */
export function vjp(graph: Graph, options: VjpOptions): Graph {
  const { of, wrt, keep = [], sparse = [], seed = 'inputs', seedName = seedOf, gradientName = gradientOf } = options
  checkNames(graph, [...of, ...wrt, ...keep, ...sparse], wrt.map(gradientName))
  const g = createAlgebra(createEmitter(graph.opset))
  copyGraph(g, prune({ ...sortNodes(graph), outputs: [...of, ...keep].map((name) => ({ name, type: 'undefined', shape: null })) }), new Set(wrt))

  const sources = new Set(wrt.map((name) => g.resolve(name)))
  const nodes = g.nodes()
  const active = reachable(g, nodes, sources)
  const tables = new Set(sparse)
  const rows = new Map<string, Rows[]>()
  const parts = new Map<string, string[]>()
  const total = new Map<string, string | null>()

  function push(value: string, gradient: string): void {
    parts.set(value, [...(parts.get(value) ?? []), gradient])
  }

  /** The gradient of a value: the sum of what its readers pass back. Asked for only when all of them have. */
  function gradientAt(value: string): string | null {
    const known = total.get(value)
    if (known !== undefined) return known
    const list = parts.get(value) ?? []
    const [first = null] = list
    const sum = list.length < 2 ? first : list.length === 2 ? g.one('Add', list) : g.one('Sum', list)
    total.set(value, sum)
    return sum
  }

  for (const name of of) {
    const value = g.resolve(name)
    const { type, shape } = g.known(value)
    push(value, seed === 'ones' ? g.expandLike(g.scalar(1, value), value) : g.input(seedName(name), type, shape))
  }

  for (const node of [...nodes].reverse()) {
    if (isConstant(operatorName(node)) || !node.inputs.some((input) => active.has(input))) continue
    const dys = node.outputs.map((output) => (output === '' ? null : gradientAt(output)))
    if (dys.every((dy) => dy === null)) continue
    const table = node.inputs[0] ?? ''
    if (node.op === 'Gather' && tables.has(table) && viewNode(node, 1).int('axis', 0) === 0 && dys[0] !== null) {
      rows.set(table, [...(rows.get(table) ?? []), { indices: node.inputs[1] ?? '', rows: dys[0] ?? '' }])
      continue
    }
    pullBack(g, node, dys, active, push)
  }

  const outputs: (readonly [string, string])[] = keep.map((name) => [name, name])
  for (const name of wrt) {
    const value = g.resolve(name)
    const pairs = rows.get(value) ?? []
    const gradient = gradientAt(value)
    if (pairs.length > 0) outputs.push(...joined(g, value, pairs, gradientName(name)))
    if (gradient !== null || pairs.length === 0) outputs.push([gradientName(name), gradient ?? g.zerosLike(value)])
  }
  const built = prune(g.build(`${graph.name} gradient`, outputs, graph.metadata))
  return options.virtual === true ? built : lowerVirtual(built)
}

/** Values that move when a source moves. */
function reachable(g: Algebra, nodes: readonly Node[], sources: ReadonlySet<string>): ReadonlySet<string> {
  const active = new Set([...sources].filter((name) => floatTypes.has(g.type(name)) || g.type(name) === PACKED))
  for (const node of nodes) {
    if (isConstant(operatorName(node)) || !node.inputs.some((input) => active.has(input))) continue
    for (const output of node.outputs) if (output !== '' && floatTypes.has(g.type(output))) active.add(output)
  }
  return active
}

/** What to say of a node whose operator has no rule. */
export function impassable(node: Node): AppError {
  const name = operatorName(node)
  return new AppError('unsupported-operator', `${viewNode(node, 21).where}: gradients cannot pass through ${name}; expected one of the operators Halftone can differentiate`, {
    hint: `Freeze the layers before this node (leave them out of what is measured), or cut the model after it: end it at '${node.inputs[0] ?? ''}'.`,
    details: { operator: name, node: node.name },
  })
}

function pullBack(g: Algebra, node: Node, dys: readonly (string | null)[], active: ReadonlySet<string>, push: (value: string, gradient: string) => void): void {
  const name = operatorName(node)
  const view = viewNode(node, 21)
  if (!isDifferentiable(name)) throw impassable(node)
  const dy = dys[0] ?? ''
  if (dy === '' && !dys.slice(1).some((other) => other !== null)) return
  const pulls = rules[name](g, { ...view, inputs: node.inputs, outputs: node.outputs, dys, dy: dy === '' && name !== 'Split' ? g.zerosLike(node.outputs[0] ?? '') : dy })
  node.inputs.forEach((input, index) => {
    const pull = pulls[index]
    if (!active.has(input) || !pull) return
    const gradient = pull()
    const [own, given] = [g.known(input).shape, g.known(gradient).shape]
    const fits = g.type(input) === PACKED || own === null || given === null || (own.length === given.length && own.every((size, axis) => typeof size !== 'number' || typeof given[axis] !== 'number' || size === given[axis]))
    assert(fits, `${view.where}: the gradient of input ${index} has the shape [${String(given)}], its value [${String(own)}]`)
    push(input, gradient)
  })
}

/** All lookups of a table as one list of places and rows. */
function joined(g: Algebra, table: string, pairs: readonly Rows[], name: string): (readonly [string, string])[] {
  const rest = g.shape(table).slice(1).map((_, axis) => [table, axis + 1] as const)
  const indices = pairs.map((pair) => g.reshape(pair.indices, [-1]))
  const rows = pairs.map((pair) => g.reshape(pair.rows, [-1, ...rest]))
  const join = (list: readonly string[]): string => (list.length === 1 ? list[0] ?? '' : g.one('Concat', list, { axis: { int: 0 } }))
  return [[`${name}:indices`, join(indices)], [`${name}:rows`, join(rows)]]
}

function checkNames(graph: Graph, names: readonly string[], made: readonly string[]): void {
  const all = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)])
  const missing = names.find((name) => !all.has(name))
  if (missing !== undefined) throw new AppError('bad-request', `graph '${graph.name}': found no value '${missing}', expected a name of an input, weight or node output`)
  const taken = made.find((name) => all.has(name))
  if (taken !== undefined) throw new AppError('bad-request', `graph '${graph.name}': found a value '${taken}' already there, expected that name to be free for a gradient`)
}
