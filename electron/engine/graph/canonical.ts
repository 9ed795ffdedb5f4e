/**
 * @file Any graph in one form: the operators and attributes of set 21, so that every later pass knows one spelling. Old
 * spellings are rewritten, functions of other operators written out, dropout removed; what is not known stays as it is.
 */
import { createAlgebra, type Algebra } from './algebra.ts'
import { activations } from './canonical/activations.ts'
import * as attributes from './canonical/attributes.ts'
import * as norms from './canonical/norms.ts'
import { pad } from './canonical/padding.ts'
import { reductions } from './canonical/reductions.ts'
import * as windows from './canonical/windows.ts'
import { createEmitter } from './emitter.ts'
import { operatorName } from './operators.ts'
import { prune } from './prune.ts'
import { viewNode } from './shapes/rule.ts'
import { sortNodes } from './topology.ts'
import type { Form } from './canonical/form.ts'
import type { Dimension, Graph, ValueInfo } from './graph.ts'

/** The operator set of the canonical form; later ones differ in nothing that is used here. */
const CANONICAL_OPSET = 21

const forms: Readonly<Record<string, Form>> = {
  ...activations,
  ...reductions,
  Squeeze: attributes.axesInput, Unsqueeze: attributes.axesInput, TopK: attributes.topK, Clip: attributes.clip, Slice: attributes.slice, Split: attributes.split, Dropout: attributes.dropout,
  Constant: attributes.constant, Softmax: attributes.softmax, LogSoftmax: attributes.softmax, BatchNormalization: attributes.batchNormalization, Scatter: attributes.scatter, Cast: attributes.cast,
  Conv: windows.explicitPads, MaxPool: windows.explicitPads, AveragePool: windows.explicitPads, ConvTranspose: windows.transposedPads, Upsample: windows.upsample, Resize: windows.upsample,
  DepthToSpace: windows.depthToSpace, SpaceToDepth: windows.spaceToDepth, Pad: pad,
  GroupNormalization: norms.groupNormalization, MeanVarianceNormalization: norms.meanVariance, LpNormalization: norms.lpNormalization, LRN: norms.localResponse,
  'com.microsoft:SkipLayerNormalization': norms.skipLayerNormalization, 'com.microsoft:SkipSimplifiedLayerNormalization': norms.skipSimplified, 'com.microsoft:FusedMatMul': norms.fusedMatmul,
}

export interface CanonicalOptions {
  /** Sizes for symbols of the inputs ("batch" → 4), or by place ("images.0" → 4): with all sizes known gradients are leaner. */
  readonly sizes?: Readonly<Record<string, number>>
}

/** The graph in canonical form, equal nodes merged, dead ones dropped. Names of inputs, outputs and initializers stay. */
export function canonical(graph: Graph, { sizes = {} }: CanonicalOptions = {}): Graph {
  const version = graph.opset[''] ?? CANONICAL_OPSET
  const g = createAlgebra(createEmitter({ ...graph.opset, '': Math.max(version, CANONICAL_OPSET) }))
  const size = (dim: Dimension, name: string, axis: number): Dimension => (typeof dim === 'number' ? dim : sizes[`${name}.${axis}`] ?? (dim === null ? null : sizes[dim] ?? dim))
  g.reserve(graph)
  for (const { name, type, shape } of graph.inputs) g.input(name, type, shape === null ? null : shape.map((dim, axis) => size(dim, name, axis)))
  for (const value of graph.initializers.values()) g.initializer(value)
  const isBound = Object.keys(sizes).length > 0
  // Shapes that the file states for inner values are those of its own symbols.
  const declared = isBound ? new Map<string, ValueInfo>() : new Map([...graph.values, ...graph.outputs.map((output) => [output.name, output] as const)])
  for (const node of sortNodes(prune(graph)).nodes) {
    const form = forms[operatorName(node)]
    const inputs = node.inputs.map((input) => g.resolve(input))
    const made = form?.(g, { ...viewNode(node, graph.opset[node.domain] ?? 1), inputs }) ?? null
    if (made === null) g.copy(node, declared)
    else node.outputs.forEach((output, index) => output !== '' && g.alias(output, made[index] ?? ''))
    for (const output of node.outputs) if (output !== '') settle(g, output)
  }
  return prune(g.build(graph.name, graph.outputs.map(({ name }) => [name, name] as const), graph.metadata))
}

/** Integers known already, such as shapes of known size, become constants. */
function settle(g: Algebra, output: string): void {
  const value = g.resolve(output)
  const { type, shape } = g.known(value)
  const numbers = g.numbers(value)
  if (g.isLeaf(value) || type !== 'int64' || shape === null || numbers === null || shape.length > 1) return
  g.alias(output, g.ints(shape.length === 0 ? numbers[0] ?? 0 : numbers))
}
