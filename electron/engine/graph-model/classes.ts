/**
 * @file Which outputs of a graph are classes: those made by a softmax, and the logits of an image or text classifier or of the tokens of a
 * text. Everything else (boxes, maps, embeddings, hidden states) is compared by its values.
 */
import { operatorName } from '../graph/operators.ts'
import { inferShapes } from '../graph/shapes/infer.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { producers } from '../graph/topology.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { takesTokens } from './data-tokens.ts'

export interface ClassOutput {
  readonly output: string
  /** The value in front of the softmax; the output itself where it holds logits. */
  readonly logits: string
  /** The output holds probabilities, not logits. Logarithms of probabilities count as logits. */
  readonly isProbability: boolean
}

/** Makers of logits: a product, perhaps with a bias. */
const products: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'Add', 'com.microsoft:MatMulNBits'])
const telling = /logit|prob|class|score/i

/** Outputs that hold classes along their last axis. */
export function classOutputs(source: Graph): readonly ClassOutput[] {
  const graph = inferShapes(source)
  const made = producers(graph.nodes)
  const isText = takesTokens(graph)
  const isVision = graph.nodes.some(({ op }) => op === 'Conv')

  function makerOf(value: string): Node | null {
    const at = made.get(value)
    const node = at === undefined ? null : graph.nodes[at]
    return node !== null && node.op === 'Identity' ? makerOf(node.inputs[0] ?? '') : node
  }

  return graph.outputs.flatMap(({ name, shape, type }): ClassOutput[] => {
    const maker = makerOf(name)
    if (maker === null || !type.startsWith('float')) return []
    const rank = shape?.length ?? null
    if (maker.domain === '' && (maker.op === 'Softmax' || maker.op === 'LogSoftmax')) {
      const version = graph.opset[''] ?? 1
      const axis = viewNode(maker, version).int('axis', version < 13 ? 1 : -1)
      return axis === -1 || axis + 1 === rank ? [{ output: name, logits: maker.inputs[0] ?? '', isProbability: maker.op === 'Softmax' }] : []
    }
    const classes = shape?.at(-1)
    const isRow = rank === 2 && (isVision || telling.test(name))
    const isToken = rank === 3 && isText && /logit/i.test(name)
    return (isRow || isToken) && typeof classes === 'number' && classes > 1 && products.has(operatorName(maker)) ? [{ output: name, logits: name, isProbability: false }] : []
  })
}

/** Outputs that a text names. */
const NAMES_SHOWN = 4

/** Names of outputs in quotes: the first of many, and how many there are. */
export function quotedOutputs(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `'${name}'`).join(', ')
  return names.length <= NAMES_SHOWN ? shown : `${shown}, … (${names.length} outputs)`
}
