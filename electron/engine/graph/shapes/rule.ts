/** @file What shape inference knows of a value, and how a rule sees a node. */
import { AppError } from '../../../contract/errors.ts'
import type { DataType } from '../../../../kernels/kernels.ts'
import type { Dimension, Graph, Node } from '../graph.ts'

export interface Known {
  readonly type: DataType
  /** Null where not even the rank is known. */
  readonly shape: readonly Dimension[] | null
  /** The numbers of small constants and of shapes being computed, in row-major order. */
  readonly elements?: readonly Dimension[] | undefined
}

/** A node with its attributes typed and its inputs as they are known. */
export interface NodeView {
  readonly node: Node
  /** "node 'conv1' (Conv)", to begin an error with. */
  readonly where: string
  /** Operator set version of the node's domain. */
  readonly version: number
  has(attribute: string): boolean
  int(attribute: string, fallback: number): number
  float(attribute: string, fallback: number): number
  text(attribute: string, fallback: string): string
  ints(attribute: string): readonly number[] | null
  graph(attribute: string): Graph | null
}

export interface ShapeView extends NodeView {
  readonly inputs: readonly (Known | null)[]
  /** Input that must be there. */
  input(index: number): Known
  /** Whether an input, or the attribute that older operator sets have in its place, is there. */
  gives(index: number, attribute: string): boolean
  /** Numbers of a small integer input or of that attribute, each known or not; null if none is known or both are absent. */
  elements(index: number, attribute?: string): readonly Dimension[] | null
  /** The same where all are known. */
  numbers(index: number, attribute?: string): readonly number[] | null
}

/** What a node's outputs are, from its inputs. */
export type ShapeRule = (view: ShapeView) => readonly Known[]

/** A view of `node`'s attributes. */
export function viewNode(node: Node, version: number): NodeView {
  const where = `node '${node.name === '' ? node.outputs[0] ?? '' : node.name}' (${node.op})`
  return {
    node,
    where,
    version,
    has: (name) => node.attributes[name] !== undefined,
    int(name, fallback) {
      const value = node.attributes[name]
      return value !== undefined && 'int' in value ? value.int : fallback
    },
    float(name, fallback) {
      const value = node.attributes[name]
      return value !== undefined && 'float' in value ? value.float : fallback
    },
    text(name, fallback) {
      const value = node.attributes[name]
      return value !== undefined && 'string' in value ? value.string : fallback
    },
    ints(name) {
      const value = node.attributes[name]
      return value !== undefined && 'ints' in value ? value.ints : null
    },
    graph(name) {
      const value = node.attributes[name]
      return value !== undefined && 'graph' in value ? value.graph : null
    },
  }
}

/** A view of `node` for its shape rule. */
export function viewShapes(node: Node, version: number, inputs: readonly (Known | null)[]): ShapeView {
  const view = viewNode(node, version)
  const elements: ShapeView['elements'] = (index, attribute) => inputs[index]?.elements ?? (attribute === undefined ? null : view.ints(attribute))
  return {
    ...view,
    inputs,
    input(index) {
      const found = inputs[index]
      if (found) return found
      throw new AppError('file-malformed', `${view.where}: found no input ${index}, expected one`, { hint: 'Export the model again.' })
    },
    gives: (index, attribute) => (inputs[index] ?? null) !== null || view.has(attribute),
    elements,
    numbers(index, attribute) {
      const found = elements(index, attribute)
      const numbers = found?.filter((value) => typeof value === 'number')
      return numbers !== undefined && numbers.length === found?.length ? numbers : null
    },
  }
}

/** Axis counted from the front; `rank` is that of the shape it indexes. */
export function axisOf(axis: number, rank: number, where: string): number {
  const found = axis < 0 ? axis + rank : axis
  if (found < 0 || found >= rank) throw new AppError('bad-shape', `${where}: found axis ${axis}, expected -${rank} to ${rank - 1}`)
  return found
}
