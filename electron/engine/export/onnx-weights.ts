/**
 * @file Any ONNX graph with some of its weights stored in few bits: the nodes that read a compressed weight are rewritten to stock
 * quantized operators of the graph's own operator set, everything else stays as it is. A convolution's DequantizeLinear waits for
 * the activation it is used with, or a runtime would hold the dense weights of all layers at once.
 */
import { byteLength } from '../graph/element.ts'
import { definitions } from '../graph/hoist.ts'
import { prune } from '../graph/prune.ts'
import { graphCaptures } from '../graph/topology.ts'
import type { GraphLayer, Site } from '../graph-model/layers.ts'
import { storageOf, type Storage, type StoredPart } from '../graph-model/storage.ts'
import type { Attribute, Graph, Initializer, Node } from '../graph/graph.ts'

/** Operator sets of DequantizeLinear: with 4-bit codes and blocks, with a scale a row of 8-bit codes, and with that in 16 bits. */
const BLOCKED_OPSET = 21
const ROWS_OPSET = 13
const HALF_ROWS_OPSET = 19
/** From here on Slice takes its range as inputs. */
const SLICE_INPUTS_OPSET = 10
const FLOAT32 = 1
const FLOAT16 = 10

/** How exactly MatMulNBits computes by bits: 0 is float32, 4 rounds activations to 8 bits. At 2 and 8 bits level 0 is up to 200 times slower. */
const accuracyLevel = (bits: number): number => (bits === 4 ? 0 : 4)

/** A part of a layer and the initializer it becomes. */
export interface PlacedPart {
  readonly layer: string
  readonly part: StoredPart
}

export interface QuantizedGraph {
  readonly graph: Graph
  /** Initializer → what its payload is made from; its range in the graph is a placeholder. */
  readonly made: ReadonlyMap<string, PlacedPart>
  /** How each compressed layer is stored, with the layer as the rewritten graph has it. */
  readonly stored: ReadonlyMap<string, { readonly layer: GraphLayer; readonly storage: Storage }>
}

interface Writer {
  readonly nodes: Node[]
  readonly initializers: Map<string, Initializer>
  readonly opset: number
  /** A name not used in the graph. */
  fresh(stem: string): string
  constant(stem: string, type: 'int64' | 'float32' | 'float16', dims: readonly number[], data: Uint8Array): string
}

function createWriter(graph: Graph): Writer {
  const used = new Set([...graph.nodes.map(({ name }) => name), ...definitions(graph).keys()])
  const initializers = new Map<string, Initializer>()
  const fresh = (stem: string): string => {
    for (let count = 0; ; count++) {
      const name = count === 0 ? stem : `${stem}_${count}`
      if (used.has(name)) continue
      used.add(name)
      return name
    }
  }
  return {
    nodes: [],
    initializers,
    opset: graph.opset[''] ?? 1,
    fresh,
    constant(stem, type, dims, data) {
      const name = fresh(stem)
      initializers.set(name, { name, type, dims, data })
      return name
    },
  }
}

const int64 = (values: readonly number[]): Uint8Array => new Uint8Array(BigInt64Array.from(values, BigInt).buffer)

function add(w: Writer, op: string, stem: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, domain = '', output = w.fresh(`${stem}:${op}`)): string {
  w.nodes.push({ op, domain, name: w.fresh(`${stem}/${op}`), inputs, outputs: [output], attributes })
  return output
}

const ints = (values: Readonly<Record<string, number>>): Readonly<Record<string, Attribute>> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { int: value }]))

/** The parts of a layer as initializers; scales are widened to the type of the activations. */
interface Written {
  readonly codes: string
  readonly scales: string
  readonly zeros: string
}

/** The graph with the layers in `choice` stored as chosen. Options F32, and F16 for weights in 16 bits, leave a layer as it is. */
export function quantizeGraph(graph: Graph, layers: readonly GraphLayer[], choice: ReadonlyMap<string, string>): QuantizedGraph {
  const w = createWriter(graph)
  const made = new Map<string, PlacedPart>()
  const stored = new Map<string, { readonly layer: GraphLayer; readonly storage: Storage }>()
  const replaced = new Map<Node, readonly Node[]>()
  const inFront = new Map<Node, readonly Node[]>()
  const inBranch = new Map<Graph, readonly Node[]>()
  const zeroOf = new Map<string, string>()

  for (const layer of layers) {
    const storage = storageOf(layer, choice.get(layer.name) ?? 'F32')
    if ('reason' in storage || storage.form === 'source') continue
    stored.set(layer.name, { layer, storage })
    const before = w.nodes.length
    const written = writeParts(w, layer, storage, made)
    if (layer.isDense) {
      const first = firstReader(graph, layer)
      if (storage.form === 'dequantize') dequantize(w, layer, storage, written, first, zeroOf)
      const [last, ...rest] = w.nodes.splice(before).reverse()
      const nodes = [...rest.reverse(), { ...last, outputs: [layer.name] }]
      const branch = onlyBranch(layer)
      if (branch === null) inFront.set(first.node, [...(inFront.get(first.node) ?? []), ...nodes])
      else inBranch.set(branch, [...(inBranch.get(branch) ?? []), ...nodes])
      continue
    }
    const shared = w.nodes.splice(before)
    layer.sites.forEach((site, index) => {
      const nodes = index === 0 ? [...shared] : []
      rewrite(w, layer, storage, written, site, zeroOf)
      replaced.set(site.node, [...nodes, ...w.nodes.splice(0)])
    })
  }

  const branched = (node: Node): Node => (node.op !== 'If' || inBranch.size === 0 ? node : {
    ...node,
    attributes: Object.fromEntries(Object.entries(node.attributes).map(([key, value]) => [key, 'graph' in value ? { graph: { ...value.graph, nodes: [...(inBranch.get(value.graph) ?? []), ...value.graph.nodes] } } : value])),
  })
  const domains = [...replaced.values(), ...inFront.values(), ...inBranch.values()].flat().some(({ domain }) => domain === 'com.microsoft') ? { 'com.microsoft': graph.opset['com.microsoft'] ?? 1 } : {}
  const rewritten: Graph = {
    ...graph,
    opset: { ...graph.opset, ...domains },
    nodes: graph.nodes.flatMap((node) => [...(inFront.get(node) ?? []), ...(replaced.get(node) ?? [branched(node)])]),
    initializers: new Map([...[...graph.initializers].filter(([name]) => stored.get(name)?.layer.isDense !== true), ...w.initializers]),
  }
  return { graph: prune(rewritten), made, stored }
}

/**
 * How a convolution's parts lie for DequantizeLinear: `blocks` by its own block size, `rows` with a scale a row, which blocks within
 * rows of [out, in] become by shape alone, `steps` by subtracting and multiplying where blocks run across rows. The bytes are the same.
 */
function arrangement({ opset }: Writer, { layout }: GraphLayer, { format }: Storage): 'blocks' | 'rows' | 'steps' {
  if (opset >= BLOCKED_OPSET) return 'blocks'
  return format === null || format.group === 'channel' || layout === 'out-in' ? 'rows' : 'steps'
}

/** Shape of a part in that arrangement. */
function partDims(w: Writer, layer: GraphLayer, storage: Storage, { role, dims }: StoredPart): readonly number[] {
  const { form, format, cols } = storage
  if (form !== 'dequantize' || format === null || format.group === 'channel') return dims
  const [rows] = layer.shape
  const groups = cols / format.group
  const across = role === 'codes' ? format.group : 1
  switch (arrangement(w, layer, storage)) {
    case 'rows': return role === 'codes' ? [rows * groups, across] : [rows * groups]
    case 'steps': return [groups, across, rows]
    default: return dims
  }
}

/** The branch of an If that alone reads a weight: there it is made only where that branch is taken. */
function onlyBranch({ name, sites: [site, ...others] }: GraphLayer): Graph | null {
  if (others.length > 0 || site.node.op !== 'If' || site.node.inputs.includes(name)) return null
  const readers = Object.values(site.node.attributes).flatMap((value) => ('graph' in value && graphCaptures(value.graph).includes(name) ? [value.graph] : []))
  return readers.length === 1 ? readers[0] : null
}

/** The use of a weight that is computed first. */
function firstReader({ nodes }: Graph, { sites }: GraphLayer): Site {
  return sites.reduce((first, site) => (nodes.indexOf(site.node) < nodes.indexOf(first.node) ? site : first))
}

function writeParts(w: Writer, layer: GraphLayer, storage: Storage, made: Map<string, PlacedPart>): Written {
  const names = { codes: '', scales: '', zeros: '', half: '' }
  for (const part of storage.parts) {
    const name = w.fresh(`${layer.name}.${part.role}`)
    names[part.role] = name
    w.initializers.set(name, { name, type: part.type, dims: partDims(w, layer, storage, part), data: { path: '', offset: 0, length: byteLength(part.type, part.dims) } })
    made.set(name, { layer: layer.name, part })
  }
  if (storage.form === 'half') return { codes: add(w, 'Cast', layer.name, [names.half], ints({ to: FLOAT32 })), scales: '', zeros: '' }
  const scales = layer.initializer.type === 'float16' && !isWidened(layer) ? names.scales : add(w, 'Cast', layer.name, [names.scales], ints({ to: FLOAT32 }))
  return { codes: names.codes, scales, zeros: names.zeros }
}

/** Whether the graph casts the 16-bit weight to 32 bits before it is used. */
const isWidened = ({ sites }: GraphLayer): boolean => sites.some(({ via }) => via.some(({ op }) => op === 'Cast'))

function rewrite(w: Writer, layer: GraphLayer, storage: Storage, written: Written, site: Site, zeroOf: Map<string, string>): void {
  const { node } = site
  if (storage.form === 'planes') writePlanes(w, layer, storage, written, site)
  else {
    const weight = storage.form === 'half' ? withChain(w, site, written.codes) : dequantize(w, layer, storage, written, site, zeroOf)
    w.nodes.push({ ...node, inputs: node.inputs.map((input) => (input === site.weight ? weight : input)) })
  }
}

/** The nodes between a weight and its reader, again over a new weight. */
function withChain(w: Writer, { via }: Site, weight: string): string {
  return via.filter(({ op }) => op === 'Transpose').reduce((value, node) => add(w, node.op, value, [value], node.attributes), weight)
}

function writePlanes(w: Writer, layer: GraphLayer, { format, parts, cols: stored }: Storage, { codes, scales, zeros }: Written, { operator, node, input }: Site): void {
  const [rows, cols] = layer.shape
  const [output = ''] = node.outputs
  const bits = format?.bits ?? 4
  const group = format === null || format.group === 'channel' ? cols : format.group
  if (operator === 'Gather') {
    const table = w.initializers.get(codes)
    // A table that is multiplied too is stored once, under two shapes of the same bytes.
    const flat = table === undefined || parts[0]?.dims.length === 2 ? codes : add(w, 'Reshape', layer.name, [codes, w.constant(`${layer.name}.shape`, 'int64', [2], int64([rows, (stored * bits) / 8]))])
    const found = stored === cols ? output : w.fresh(`${output}:rows`)
    w.nodes.push({ op: 'GatherBlockQuantized', domain: 'com.microsoft', name: node.name, inputs: [flat, input, scales, ...(zeros === '' ? [] : [zeros])], outputs: [found], attributes: ints({ bits, block_size: group, gather_axis: 0, quantize_axis: 1 }) })
    if (stored !== cols) slice(w, output, found, { starts: [0], ends: [cols], axes: [-1] }, output)
    return
  }
  const bias = operator === 'Gemm' ? node.inputs[2] ?? '' : ''
  const product = bias === '' ? output : w.fresh(`${output}:product`)
  w.nodes.push({ op: 'MatMulNBits', domain: 'com.microsoft', name: node.name, inputs: [input, codes, scales, ...(zeros === '' ? [] : [zeros])], outputs: [product], attributes: ints({ K: cols, N: rows, bits, block_size: group, accuracy_level: accuracyLevel(bits) }) })
  if (bias !== '') add(w, 'Add', output, [product, bias], {}, '', output)
}

/** A part of a value, in the spelling of the operator set. */
function slice(w: Writer, stem: string, value: string, range: Readonly<Record<'starts' | 'ends' | 'axes', readonly number[]>>, output?: string): string {
  const parts = Object.entries(range)
  if (w.opset < SLICE_INPUTS_OPSET) return add(w, 'Slice', stem, [value], Object.fromEntries(parts.map(([key, values]) => [key, { ints: values }])), '', output)
  return add(w, 'Slice', stem, [value, ...parts.map(([key, values]) => w.constant(`${stem}.${key}`, 'int64', [values.length], int64(values)))], {}, '', output)
}

/** A zero that a runtime only knows once `activation` is there. `x < −∞` is false whatever x is. */
function zeroAfter(w: Writer, activation: string, rank: number, isHalf: boolean, zeroOf: Map<string, string>): string {
  const known = zeroOf.get(activation)
  if (known !== undefined) return known
  const axes = Array.from({ length: rank }, (_, axis) => axis)
  const first = slice(w, activation, activation, { starts: axes.map(() => 0), ends: axes.map(() => 1), axes })
  const flat = add(w, 'Reshape', activation, [first, w.constant(`${activation}.one`, 'int64', [1], int64([1]))])
  const least = isHalf ? new Uint8Array(Uint16Array.of(0xfc00).buffer) : new Uint8Array(Float32Array.of(-Infinity).buffer)
  const never = add(w, 'Less', activation, [flat, w.constant(`${activation}.least`, isHalf ? 'float16' : 'float32', [1], least)])
  const zero = add(w, 'Cast', activation, [never], ints({ to: isHalf ? FLOAT16 : FLOAT32 }))
  zeroOf.set(activation, zero)
  return zero
}

function dequantize(w: Writer, layer: GraphLayer, storage: Storage, { codes, scales, zeros }: Written, { input }: Site, zeroOf: Map<string, string>): string {
  const { name, initializer: { type, dims }, layout } = layer
  const { format } = storage
  const isHalf = type === 'float16' && !isWidened(layer)
  const zero = input === '' ? null : zeroAfter(w, input, dims.length, isHalf, zeroOf)
  const late = (scale: string): string => (zero === null ? scale : add(w, 'Add', name, [scale, zero]))
  const block = format === null || format.group === 'channel' ? null : format.group
  // ONNX Runtime's own operator takes 4-bit codes beside any operator set.
  const domain = w.opset >= BLOCKED_OPSET || (w.opset >= (isHalf ? HALF_ROWS_OPSET : ROWS_OPSET) && format?.bits === 8) ? '' : 'com.microsoft'
  const spread = (scale: string, attributes: Readonly<Record<string, number>>): string => add(w, 'DequantizeLinear', name, [codes, scale, ...(zeros === '' ? [] : [zeros])], ints(attributes), domain)
  const axis = layout === 'in-out-taps' ? 0 : 1
  const dense = {
    blocks: () => spread(late(scales), block === null ? { axis: 1 - axis } : { axis, block_size: block }),
    rows: () => spread(late(scales), { axis: block === null ? 1 - axis : 0 }),
    steps() {
      const one = late(w.constant(`${name}.unit`, isHalf ? 'float16' : 'float32', [], isHalf ? new Uint8Array(Uint16Array.of(0x3c00).buffer) : new Uint8Array(Float32Array.of(1).buffer)))
      const plain = (part: string): string => add(w, 'DequantizeLinear', name, [part, one], {}, domain)
      return add(w, 'Mul', name, [zeros === '' ? plain(codes) : add(w, 'Sub', name, [plain(codes), plain(zeros)]), scales])
    },
  }[arrangement(w, layer, storage)]()
  return add(w, 'Reshape', name, [dense, w.constant(`${name}.shape`, 'int64', [dims.length], int64(dims))])
}
