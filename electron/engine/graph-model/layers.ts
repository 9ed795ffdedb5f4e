/**
 * @file The quantizable weights of any ONNX graph: initializers that a MatMul, Gemm, Conv, ConvTranspose, Gather or a recurrent node
 * reads, straight or through a Transpose or Cast of the weight alone; and, as they are, those that operators take in any other way
 * as weights, in graphs of If and Loop too. Every other initializer gets the reason why it stays as it is.
 */
import { elementCount } from '../graph/element.ts'
import { cutGraph } from '../graph/cut.ts'
import { isConstant, operatorName } from '../graph/operators.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { nodeReads } from '../graph/topology.ts'
import type { Graph, Initializer, Node } from '../graph/graph.ts'
import type { Layer } from '../model.ts'

const layerOperators = ['MatMul', 'Gemm', 'Conv', 'ConvTranspose', 'Gather'] as const
type LayerOperator = (typeof layerOperators)[number]
const recurrentOperators = ['LSTM', 'GRU', 'RNN'] as const
type RecurrentOperator = (typeof recurrentOperators)[number]

export const isRecurrentOperator = (name: string): name is RecurrentOperator => recurrentOperators.some((operator) => operator === name)

/** A node that uses the weight. */
export interface Site {
  /** `other`: what the weight is multiplied with is not known. */
  readonly operator: LayerOperator | RecurrentOperator | 'other'
  readonly node: Node
  /** The activation beside the weight; ids for Gather; '' where it is not known. */
  readonly input: string
  /** Of a recurrent node's weight of states: the node's own output of them, which is what the weight is multiplied with. */
  readonly states?: string
  /** The name under which the node reads the weight: the initializer, or the end of `via`. */
  readonly weight: string
  /** Nodes between the initializer and this one, which read nothing else. */
  readonly via: readonly Node[]
}

/**
 * How the initializer holds [out, in]: as it is (further axes belong to `in`), transposed, or as a transposed convolution's
 * [in, out, …], whose rows are (out, …).
 */
export type WeightLayout = 'out-in' | 'in-out' | 'in-out-taps'

export interface GraphLayer extends Layer {
  readonly initializer: Initializer
  readonly layout: WeightLayout
  /** Groups of a convolution, directions of a recurrent weight: rows of a group read the same part of the input. */
  readonly groups: number
  /** Its nodes read it as it is, whatever they are: it is stored behind DequantizeLinear under its own name. */
  readonly isDense: boolean
  readonly sites: readonly Site[]
}

export interface GraphLayers {
  readonly layers: readonly GraphLayer[]
  /** Initializer → why it is left as it is. */
  readonly reasons: ReadonlyMap<string, string>
}

/** Fewer weights are not worth a scale: they stay as they are. */
const ELEMENTS_MIN = 512
/** Nodes that a weight passes at most before it is used. */
const PASSES_MAX = 16

interface Found {
  readonly site: Site
  readonly layout: WeightLayout
  readonly groups: number
}

type Read = (node: Node, opset: number, dims: readonly number[], isTransposed: boolean) => Omit<Found, 'site'> | string

const matrixOnly = (dims: readonly number[]): string | null => (dims.length === 2 ? null : `is a stack of ${dims.length} dimensions, not a matrix`)

/** What each operator makes of a weight in its second input (Gather: first), or the reason against it. */
const reads: Readonly<Record<LayerOperator, Read>> = {
  MatMul: (_node, _opset, dims, isTransposed) => matrixOnly(dims) ?? { layout: isTransposed ? 'out-in' : 'in-out', groups: 1 },
  Gemm(node, opset, dims, isTransposed) {
    const view = viewNode(node, opset)
    if (view.int('transA', 0) !== 0 || view.float('alpha', 1) !== 1 || view.float('beta', 1) !== 1) return 'belongs to a Gemm with transA, alpha or beta'
    return matrixOnly(dims) ?? { layout: (view.int('transB', 0) !== 0) !== isTransposed ? 'out-in' : 'in-out', groups: 1 }
  },
  Conv(node, opset, dims, isTransposed) {
    if (isTransposed) return 'is a transposed convolution kernel'
    const groups = viewNode(node, opset).int('group', 1)
    return dims.length < 3 || dims[0] % groups !== 0 ? 'is no kernel of a convolution' : { layout: 'out-in', groups }
  },
  ConvTranspose(node, opset, dims, isTransposed) {
    if (isTransposed || viewNode(node, opset).int('group', 1) !== 1) return 'belongs to a ConvTranspose in groups'
    return dims.length < 3 ? 'is no kernel of a convolution' : { layout: 'in-out-taps', groups: 1 }
  },
  Gather(node, opset, dims, isTransposed) {
    const view = viewNode(node, opset)
    return matrixOnly(dims) ?? (isTransposed || view.int('axis', 0) !== 0 ? 'is looked up along its second axis' : { layout: 'out-in', groups: 1 })
  },
}

const weightInput: Readonly<Record<LayerOperator, number>> = { MatMul: 1, Gemm: 1, Conv: 1, ConvTranspose: 1, Gather: 0 }

/** Inputs that operators multiply with or look up in: what may be few bits there. All inputs of an Einsum are. */
const weightOperands: Readonly<Partial<Record<string, readonly number[]>>> = {
  MatMul: [0, 1], Gemm: [0, 1], Conv: [1], ConvTranspose: [1], DeformConv: [1], Gather: [0], LSTM: [1, 2], GRU: [1, 2], RNN: [1, 2],
  'com.microsoft:Attention': [1], 'com.microsoft:EmbedLayerNormalization': [2, 3, 4], 'com.microsoft:FusedConv': [1], 'com.microsoft:FusedGemm': [0, 1], 'com.microsoft:FusedMatMul': [0, 1],
}

/** Operators that hand a weight on, in part or in another order. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Slice', 'Split', 'Concat'])

const isRecurrent = (node: Node): node is Node & { op: RecurrentOperator } => node.domain === '' && isRecurrentOperator(node.op)

const isLayerOperator = (node: Node): node is Node & { op: LayerOperator } => node.domain === '' && layerOperators.some((name) => name === node.op)

/** What a reader's node is called in messages. */
const called = (node: Node): string => `${operatorName(node)}${node.name === '' ? '' : ` '${node.name}'`}`

interface Readers {
  readonly of: (value: string) => readonly Node[]
  /** Readers by their own inputs, in the graphs of If, Loop and Scan too. */
  readonly within: (value: string) => readonly Node[]
  readonly isOutput: (value: string) => boolean
  readonly opset: number
}

/** All uses of the initializer, or why it cannot be a layer. `value` is its name, or what a chain made of it. */
function findSites(initializer: Initializer, readers: Readers, value: string, via: readonly Node[], isTransposed: boolean): Found[] | string {
  const { dims, type } = initializer
  if (readers.isOutput(value)) return 'is an output of the model'
  const found: Found[] = []
  for (const node of readers.of(value)) {
    if (node.inputs.filter((input) => input === value).length !== 1) return node.inputs.includes(value) ? `is read twice by ${called(node)}` : `is read inside a graph of ${called(node)}`
    const [output = ''] = node.outputs
    if (node.domain === '' && node.op === 'Transpose' && dims.length === 2 && (viewNode(node, readers.opset).ints('perm') ?? [1, 0]).join() === '1,0') {
      const more = findSites(initializer, readers, output, [...via, node], !isTransposed)
      if (typeof more === 'string') return more
      found.push(...more)
    } else if (node.domain === '' && (node.op === 'Identity' || (node.op === 'Cast' && type === 'float16' && viewNode(node, readers.opset).int('to', 0) === 1))) {
      const more = findSites(initializer, readers, output, [...via, node], isTransposed)
      if (typeof more === 'string') return more
      found.push(...more)
    } else if (isLayerOperator(node)) {
      const at = weightInput[node.op]
      if (node.inputs[at] !== value) return `is the left factor or the bias of ${called(node)}`
      const read = reads[node.op](node, readers.opset, dims, isTransposed)
      if (typeof read === 'string') return read
      found.push({ ...read, site: { operator: node.op, node, input: node.inputs[1 - at] ?? '', weight: value, via } })
    } else if (isRecurrent(node)) {
      const at = node.inputs.indexOf(value)
      if (at > 2 || via.length > 0 || dims.length !== 3) return `is the bias or a state of ${called(node)}`
      const states = output === '' ? `${value}:states` : output
      found.push({ layout: 'out-in', groups: at === 2 ? dims[0] : 1, site: { operator: node.op, node, input: node.inputs[0], weight: value, via, ...(at === 2 && { states }) } })
    } else if (node.op === 'DequantizeLinear') return `is stored quantized already (${called(node)})`
    else return `is read by ${called(node)}, which has no quantized form`
  }
  return found
}

/** Whether all that becomes of a value is multiplied with, or looked up in. */
function isWeight(value: string, readers: Readers, depth = 0): boolean {
  const nodes = readers.within(value)
  return depth < PASSES_MAX && nodes.length > 0 && !readers.isOutput(value) && nodes.every((node) => {
    const name = operatorName(node)
    if (passing.has(name)) return node.inputs[0] === value || name === 'Concat' ? node.outputs.every((output) => isWeight(output, readers, depth + 1)) : false
    return node.inputs.every((input, at) => input !== value || name === 'Einsum' || weightOperands[name]?.includes(at) === true)
  })
}

const kinds: Readonly<Record<Site['operator'], Layer['kind']>> = { MatMul: 'matmul', Gemm: 'matmul', Conv: 'conv', ConvTranspose: 'conv', Gather: 'embedding', LSTM: 'matmul', GRU: 'matmul', RNN: 'matmul', other: 'matmul' }

/** [out, in] of an initializer in its layout. */
export function matrixShape(dims: readonly number[], layout: WeightLayout): readonly [number, number] {
  const [first = 1, ...rest] = dims
  if (layout === 'out-in') return [first, elementCount(rest)]
  return [elementCount(rest), first]
}

/** Why nodes that each could read a packed weight cannot all read one. */
function conflictOf(found: readonly Found[]): string | null {
  const [first] = found
  if (first === undefined) return null
  const { layout, groups, site: { operator } } = first
  if (found.some((other) => other.layout !== layout || other.groups !== groups)) return 'is shared by nodes that hold it in different ways'
  if (found.some(({ site }) => (kinds[site.operator] === 'conv') !== (kinds[operator] === 'conv') || isRecurrent(site.node) !== isRecurrent(first.site.node))) return 'is shared by a convolution and a product'
  if (found.some(({ site }) => kinds[site.operator] !== kinds[operator]) && layout !== 'out-in') return 'is shared by a table and a product in different layouts'
  return null
}

/** A weight that its nodes read as it is: columns are its last axis, of a kernel all axes but the first. */
function denseLayer(initializer: Initializer, sites: readonly Site[], groups: number, block: number | null, readers: Readers): GraphLayer {
  const { name, dims } = initializer
  const isKernel = readers.within(name).some(({ op }) => op.includes('Conv'))
  const rows = isKernel ? dims.slice(0, 1) : dims.slice(0, -1)
  const shape = [elementCount(rows), elementCount(dims.slice(rows.length))] as const
  return { name, kind: 'matmul', shape, block, ties: null, input: sites[0]?.states ?? sites[0]?.input ?? '', initializer, layout: 'out-in', groups, isDense: true, sites }
}

function layerOf(initializer: Initializer, readers: Readers, block: number | null, least: number): GraphLayer | string {
  const { name, type, dims } = initializer
  if (dims.length < 2) return 'is a vector: biases and norms are small and stay as they are'
  if (elementCount(dims) < least) return `has ${elementCount(dims)} weights, too few for scales of their own`
  if (type !== 'float32' && type !== 'float16') return `holds ${type}, not weights in float32 or float16`
  const found = findSites(initializer, readers, name, [], false)
  const other = typeof found === 'string' ? found : conflictOf(found)
  if (typeof found === 'string' || other !== null) return isWeight(name, readers) ? denseLayer(initializer, readers.of(name).map((node) => ({ operator: 'other', node, input: '', weight: name, via: [] })), 1, block, readers) : other ?? ''
  const [first] = found
  if (first === undefined) return 'is read by nothing'
  const { layout, groups, site: { input } } = first
  if (isRecurrent(first.site.node)) return denseLayer(initializer, found.map(({ site }) => site), groups, block, readers)
  const products = found.filter(({ site }) => site.operator !== 'Gather')
  const lead = products[0] ?? first
  return { name, kind: kinds[lead.site.operator], shape: matrixShape(dims, layout), block, ties: null, input: lead.site.input ?? input, initializer, layout, groups, isDense: false, sites: found.map(({ site }) => site) }
}

/** Convolutions that read one activation get one option: where activations are quantized too they share its width (HAWQ-V3, residual branches). */
function withTies(layers: readonly GraphLayer[]): GraphLayer[] {
  const count = new Map<string, number>()
  for (const { kind, input } of layers) if (kind === 'conv' && input !== null) count.set(input, (count.get(input) ?? 0) + 1)
  return layers.map((layer) => (layer.kind === 'conv' && layer.input !== null && (count.get(layer.input) ?? 0) > 1 ? { ...layer, ties: layer.input } : layer))
}

/** The layers of a graph in order of computation, and why other initializers are none: among them those of fewer weights than `least`. */
export function graphLayers(graph: Graph, least = ELEMENTS_MIN): GraphLayers {
  const byValue = new Map<string, Node[]>()
  const order = new Map<string, number>()
  graph.nodes.forEach((node, index) => {
    for (const name of new Set(nodeReads(node))) {
      byValue.set(name, [...(byValue.get(name) ?? []), node])
      if (!order.has(name)) order.set(name, index)
    }
  })
  const within = new Map<string, Node[]>()
  const outputs = new Set<string>()
  const walk = (part: Graph): void => {
    for (const { name } of part.outputs) outputs.add(name)
    for (const node of part.nodes) {
      for (const name of new Set(node.inputs)) within.set(name, [...(within.get(name) ?? []), node])
      for (const value of Object.values(node.attributes)) if ('graph' in value) walk(value.graph)
    }
  }
  walk(graph)
  const readers: Readers = { of: (value) => byValue.get(value) ?? [], within: (value) => within.get(value) ?? [], isOutput: (value) => outputs.has(value), opset: graph.opset[''] ?? 1 }
  const blocks = blockNumbers(graph)
  const layers: GraphLayer[] = []
  const reasons = new Map<string, string>()
  for (const initializer of graph.initializers.values()) {
    const layer = layerOf(initializer, readers, blocks.get(initializer.name) ?? null, least)
    if (typeof layer === 'string') reasons.set(initializer.name, layer)
    else layers.push(layer)
  }
  const place = ({ sites, name }: GraphLayer): number => Math.min(...sites.map(({ node }) => graph.nodes.indexOf(node)), order.get(name) ?? Infinity)
  const places = new Map(layers.map((layer) => [layer.name, place(layer)]))
  return { layers: withTies(layers.sort((a, b) => (places.get(a.name) ?? 0) - (places.get(b.name) ?? 0))), reasons }
}

/** Which block of the cut graph reads each initializer. */
function blockNumbers(graph: Graph): ReadonlyMap<string, number> {
  const known = graph.nodes.some((node) => !isConstant(operatorName(node)))
  if (!known) return new Map()
  return new Map(cutGraph(graph).flatMap((block, index) => [...block.initializers.keys()].map((name) => [name, index] as const)))
}
