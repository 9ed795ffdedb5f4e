/**
 * @file Writes a graph that knows its own shapes and holds no node twice: a node equal to an earlier one returns that one's
 * outputs. Transformations copy a graph through it and add to it.
 */
import { AppError } from '../../contract/errors.ts'
import type { DataType } from '../../../kernels/kernels.ts'
import { isOperator, operatorName } from './operators.ts'
import { nodeReads } from './topology.ts'
import { createShapes } from './shapes/infer.ts'
import type { Known } from './shapes/rule.ts'
import type { Attributes } from './builder.ts'
import type { Dimension, Graph, Initializer, Node, ValueInfo } from './graph.ts'

export interface EmitOptions {
  readonly domain?: string
  /** How many outputs, or their names (default 1). */
  readonly outputs?: number | readonly string[]
  readonly name?: string
}

export interface Emitter {
  input(name: string, type: DataType, shape: readonly Dimension[] | null): string
  initializer(value: Initializer): string
  node(op: string, inputs: readonly string[], attributes?: Attributes, options?: EmitOptions): readonly string[]
  /** Adds (or finds) a node and returns its first output. */
  one(op: string, inputs: readonly string[], attributes?: Attributes, options?: EmitOptions): string
  /** A node as it is. Where an equal one is there already its outputs become aliases, unless it is to stay by itself. */
  copy(node: Node, declared?: ReadonlyMap<string, ValueInfo>, isShared?: boolean): void
  /** The nodes written so far, in order of computation. */
  nodes(): readonly Node[]
  /** Output `index` of the node that makes `value`, added to the node where it has none. */
  extraOutput(value: string, index: number): string
  /** A shared constant. A number makes a scalar, a list a vector. */
  ints(values: number | readonly number[]): string
  /** A shared floating-point constant of the type of `like`. */
  floats(values: number | readonly number[], like: string): string
  /** A constant tensor of the type of `like`, row-major. */
  tensor(values: readonly number[], dims: readonly number[], like: string): string
  known(value: string): Known
  type(value: string): DataType
  /** Throws where the rank is unknown. */
  shape(value: string): readonly Dimension[]
  /** The numbers of a small constant, or null. */
  numbers(value: string): readonly number[] | null
  /** Whether no node makes the value: an input or a weight. */
  isLeaf(value: string): boolean
  /** The value that stands for `name`: itself, or that of an equal node. */
  resolve(name: string): string
  /** Says that `name` is `value`. */
  alias(name: string, value: string): void
  fresh(stem: string): string
  /** Keeps names from being given by `fresh`: those of a graph that is still to be copied. */
  reserve(graph: Graph): void
  build(name: string, outputs: readonly (readonly [name: string, value: string])[], metadata?: Readonly<Record<string, string>>): Graph
}

const constructors = { float32: Float32Array, float64: Float64Array } as const

function constantBytes(values: readonly number[], type: 'int64' | 'float32' | 'float64'): Uint8Array {
  return new Uint8Array(type === 'int64' ? BigInt64Array.from(values, BigInt).buffer : constructors[type].from(values).buffer)
}

/** An empty graph to write into. */
export function createEmitter(opset: Readonly<Record<string, number>>): Emitter {
  const shapes = createShapes(opset)
  const inputs: ValueInfo[] = []
  const nodes: Node[] = []
  const maker = new Map<string, number>()
  const initializers = new Map<string, Initializer>()
  const shared = new Map<string, readonly string[]>()
  const constants = new Map<string, string>()
  const aliases = new Map<string, string>()
  const counters = new Map<string, number>()
  const domains = new Set<string>()
  const reserved = new Set<string>()

  function resolve(name: string): string {
    let found = name
    for (let next = aliases.get(found); next !== undefined; next = aliases.get(found)) found = next
    return found
  }

  function isTaken(name: string): boolean {
    return shapes.has(name) || aliases.has(name) || reserved.has(name)
  }

  function fresh(stem: string): string {
    for (let count = counters.get(stem) ?? 0; ; count++) {
      const name = count === 0 ? stem : `${stem}_${count}`
      counters.set(stem, count + 1)
      if (!isTaken(name)) return name
    }
  }

  function initializer(value: Initializer): string {
    initializers.set(value.name, value)
    shapes.addInitializer(value)
    return value.name
  }

  function constant(values: readonly number[], dims: readonly number[], type: 'int64' | 'float32' | 'float64'): string {
    const key = `${type}[${dims.join()}] ${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join()}`
    const found = constants.get(key)
    if (found !== undefined) return found
    const name = initializer({ name: fresh('constant'), type, dims, data: constantBytes(values, type) })
    constants.set(key, name)
    return name
  }

  function typedConstant(values: readonly number[], dims: readonly number[], like: string): string {
    const { type } = shapes.known(like)
    if (type === 'float32' || type === 'float64' || type === 'int64') return constant(values, dims, type)
    return one('Cast', [constant(values, dims, 'float32')], { to: { int: type === 'bfloat16' ? 16 : 10 } })
  }

  function push(node: Node, declared?: ReadonlyMap<string, ValueInfo>): void {
    node.outputs.forEach((output) => output !== '' && maker.set(output, nodes.length))
    nodes.push(node)
    reserved.add(node.name)
    domains.add(node.domain)
    shapes.addNode(node, declared)
  }

  /** The same text for equal nodes; null where a node must not be shared. */
  function keyOf(node: Pick<Node, 'op' | 'domain' | 'inputs' | 'attributes' | 'outputs'>): string | null {
    if (!isOperator(operatorName(node)) || Object.values(node.attributes).some((value) => 'graph' in value)) return null
    const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify([node.op, node.domain, node.inputs, attributes])
  }

  function node(op: string, from: readonly string[], attributes: Attributes = {}, { domain = '', outputs: wanted = 1, name = '' }: EmitOptions = {}): readonly string[] {
    const resolved = from.map(resolve)
    const key = keyOf({ op, domain, inputs: resolved, attributes, outputs: [] })
    const count = typeof wanted === 'number' ? wanted : wanted.length
    const known = key === null ? undefined : shared.get(key)
    if (known !== undefined && known.length >= count && known.slice(0, count).every((output) => output !== '')) return known
    const outputs = typeof wanted === 'number' ? Array.from({ length: wanted }, (_, index) => fresh(wanted === 1 ? `${op}:out` : `${op}:out${index}`)) : wanted
    push({ op, domain, name: name === '' ? fresh(`${op}:node`) : name, inputs: resolved, outputs, attributes })
    if (key !== null) shared.set(key, outputs)
    return outputs
  }

  function one(op: string, from: readonly string[], attributes?: Attributes, options?: EmitOptions): string {
    return node(op, from, attributes, options)[0] ?? ''
  }

  return {
    input(name, type, shape) {
      inputs.push({ name, type, shape })
      shapes.addValue({ name, type, shape })
      return name
    },
    initializer,
    node,
    one,
    copy(original, declared, isShared = true) {
      // Graphs in attributes name outer values themselves: those must exist under that name.
      for (const name of nodeReads(original)) {
        const found = resolve(name)
        if (found === name || original.inputs.includes(name)) continue
        aliases.delete(name)
        push({ op: 'Identity', domain: '', name: fresh('Identity:node'), inputs: [found], outputs: [name], attributes: {} })
      }
      const copied = { ...original, inputs: original.inputs.map(resolve) }
      const key = isShared ? keyOf(copied) : null
      const known = key === null ? undefined : shared.get(key)
      if (known !== undefined && original.outputs.every((output, index) => output === '' || (known[index] ?? '') !== '')) {
        original.outputs.forEach((output, index) => output !== '' && aliases.set(output, known[index] ?? ''))
        return
      }
      push(copied, declared)
      if (key !== null) shared.set(key, original.outputs)
    },
    nodes: () => [...nodes],
    extraOutput(value, index) {
      const at = maker.get(resolve(value))
      const found = at === undefined ? undefined : nodes[at]
      if (at === undefined || found === undefined) throw new Error(`no node makes ${value}`)
      const present = found.outputs[index] ?? ''
      if (present !== '') return present
      const name = fresh(`${value}:${index}`)
      const outputs = Array.from({ length: Math.max(found.outputs.length, index + 1) }, (_, place) => (place === index ? name : found.outputs[place] ?? ''))
      const grown = { ...found, outputs }
      nodes[at] = grown
      maker.set(name, at)
      shapes.addNode(grown)
      const key = keyOf(grown)
      if (key !== null) shared.set(key, outputs)
      return name
    },
    ints: (values) => constant(typeof values === 'number' ? [values] : values, typeof values === 'number' ? [] : [values.length], 'int64'),
    floats: (values, like) => typedConstant(typeof values === 'number' ? [values] : values, typeof values === 'number' ? [] : [values.length], like),
    tensor: typedConstant,
    known: (value) => shapes.known(resolve(value)),
    type: (value) => shapes.known(resolve(value)).type,
    shape(value) {
      const { shape } = shapes.known(resolve(value))
      if (shape !== null) return shape
      throw new AppError('bad-shape', `value '${value}': the number of its dimensions is not known; expected one that can be inferred`, { hint: 'Export the model with shape information (onnx.shape_inference), or with fixed input sizes.' })
    },
    numbers(value) {
      const { elements } = shapes.known(resolve(value))
      const numbers = elements?.filter((element) => typeof element === 'number')
      return numbers !== undefined && numbers.length === elements?.length ? numbers : null
    },
    isLeaf: (value) => !maker.has(resolve(value)),
    resolve,
    alias: (name, value) => void aliases.set(name, resolve(value)),
    fresh,
    reserve(graph) {
      for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) reserved.add(name)
      for (const name of [...graph.inputs.map((input) => input.name), ...graph.initializers.keys(), ...graph.outputs.map((output) => output.name)]) reserved.add(name)
    },
    build(name, outputs, metadata = {}) {
      const infos = outputs.map(([output, value]) => {
        const found = resolve(value)
        if (found !== output) push({ op: 'Identity', domain: '', name: fresh('Identity:node'), inputs: [found], outputs: [output], attributes: {} })
        const { type, shape } = shapes.known(output)
        return { name: output, type, shape }
      })
      const used = Object.fromEntries([...Object.entries(opset), ...[...domains].filter((domain) => opset[domain] === undefined).map((domain) => [domain, 1] as const)])
      return { name, opset: used, inputs, outputs: infos, nodes: [...nodes], initializers, values: new Map(), metadata }
    },
  }
}
