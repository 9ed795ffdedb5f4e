/** @file What an ONNX graph consists of, for the window and `halftone inspect`. */
import path from 'node:path'
import type { ModelSummary } from '../../contract/engine.ts'
import { byteLength } from '../graph/element.ts'
import { operatorName } from '../graph/operators.ts'
import type { Graph } from '../graph/graph.ts'
import { fixedSize, imageInput } from './data-images.ts'
import { graphMetric } from '../usual.ts'
import { takesTokens } from './data-tokens.ts'
import { inputText } from './input-shape.ts'
import { obstaclesOf } from './obstacles.ts'
import { openGraphModel, type GraphModel } from './open.ts'

/** Operators named in the summary. */
const OPERATORS_SHOWN = 4

/** The most frequent operators: what kind of network this is. */
function architectureOf({ graph }: GraphModel): string {
  const counts = Map.groupBy(graph.nodes, operatorName)
  const most = [...counts].map(([name, nodes]) => [name, nodes.length] as const).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return `ONNX graph, operator set ${graph.opset[''] ?? '?'}, ${most.slice(0, OPERATORS_SHOWN).map(([name, count]) => `${count} ${name}`).join(', ')}`
}

/** Operators that gradients cannot pass, with a node of each. */
function warningsOf({ graph }: GraphModel): string[] {
  return [...obstaclesOf(graph)].map(([name, node]) => `${name} (node '${node}') is outside the operators whose shapes and gradients are known: measure with layer-output, imatrix, sqnr or kl.`)
}

function picturesOf(graph: Graph): NonNullable<ModelSummary['graph']>['pictures'] {
  const input = imageInput(graph)
  return input && (fixedSize(input) ? 'fixed' : 'any size')
}

/** Opens an ONNX graph only to describe it. */
export async function inspectGraph(source: string): Promise<ModelSummary> {
  const model = await openGraphModel(source)
  const { graph, layers, reasons } = model
  return {
    path: source,
    name: graph.name === '' ? path.basename(source) : graph.name,
    format: 'onnx',
    architecture: architectureOf(model),
    parameters: model.elements,
    sizeBytes: model.sizeBytes,
    blocks: new Set(layers.flatMap(({ block }) => block ?? [])).size,
    contextLength: null,
    vocabulary: null,
    tensors: [...graph.initializers.values()].map(({ name, type, dims }) => {
      const reason = reasons.get(name) ?? null
      return { name, type, shape: [...dims], bytes: byteLength(type, dims), layers: reason === null ? [name] : [], reason }
    }),
    layers: layers.map(({ name, kind, shape, block, ties }) => ({ name, kind, shape: [...shape], elements: shape[0] * shape[1], block, ties })),
    graph: { inputs: graph.inputs.map((input) => ({ name: input.name, text: inputText(input) })), pictures: picturesOf(graph), takesTokens: takesTokens(graph), metric: graphMetric(model) },
    warnings: warningsOf(model),
  }
}
