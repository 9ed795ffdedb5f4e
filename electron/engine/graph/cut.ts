/**
 * @file Cuts a graph into blocks where few values pass from one side to the other: at a dominator, one value through which
 * everything flows. Between blocks activations may be parked; a block's weights are its own.
 *
 * In order of computation, the values that are made before a place and read after it are alive there. Graph inputs, and what
 * is computed from those that most of the graph reads (masks, positions), are given to every block and do not count.
 */
import { isConstant, operatorName } from './operators.ts'
import { prune } from './prune.ts'
import { inferShapes } from './shapes/infer.ts'
import { nodeReads } from './topology.ts'
import type { Graph, Node, ValueInfo } from './graph.ts'

export interface CutOptions {
  /** Values that may pass between two blocks (default 1). */
  readonly width?: number
}

/** A value alive at more than this share of all places is carried along, not passed on. */
const CARRIED_SHARE = 0.5

interface Line {
  readonly nodes: readonly Node[]
  /** Names of values that depend on graph inputs. */
  readonly moving: ReadonlySet<string>
  /** Index of the maker and of the last reader of each moving value. */
  readonly spans: ReadonlyMap<string, readonly [first: number, last: number]>
}

/**
 * The blocks, in order. Inputs of a block are values of earlier blocks or graph inputs, its outputs those that later blocks
 * or the caller read; names are those of the graph. Run one after the other they compute the graph.
 */
export function cutGraph(graph: Graph, { width = 1 }: CutOptions = {}): readonly Graph[] {
  const whole = inferShapes(prune(graph))
  const places = cutPlaces(lineOf(whole), width)
  const parts: Node[][] = []
  let segment: Node[] = []
  for (let index = 0; index <= whole.nodes.length; index++) {
    if (index === whole.nodes.length || places.has(index)) {
      // What has no weights (an activation, a reshape) goes with what is before.
      const last = parts[parts.length - 1]
      if (last === undefined || hasWeights(whole, segment)) parts.push(segment)
      else last.push(...segment)
      segment = []
    }
    if (index < whole.nodes.length) segment.push(whole.nodes[index])
  }
  return parts.map((part, index) => blockOf(whole, part, parts.slice(index + 1).flat(), `${graph.name}.${index}`))
}

function hasWeights({ initializers }: Graph, nodes: readonly Node[]): boolean {
  return nodes.some(({ inputs }) => inputs.some((input) => (initializers.get(input)?.dims.length ?? 0) > 1))
}

function lineOf({ nodes, inputs, outputs }: Graph): Line {
  const moving = new Set(inputs.map(({ name }) => name))
  const spans = new Map<string, [number, number]>()
  nodes.forEach((node, index) => {
    const reads = nodeReads(node)
    for (const name of reads) {
      const span = spans.get(name)
      if (span !== undefined) span[1] = index
    }
    // A shape moves with the batch, but is a few numbers.
    if (!reads.some((name) => moving.has(name)) || isConstant(operatorName(node))) return
    for (const output of node.outputs) {
      if (output === '') continue
      moving.add(output)
      spans.set(output, [index, index])
    }
  })
  for (const { name } of outputs) spans.delete(name)
  return { nodes, moving, spans }
}

/** Indices of nodes before which a block may begin. */
function cutPlaces({ nodes, spans }: Line, width: number): ReadonlySet<number> {
  const carried = new Set([...spans].filter(([, [first, last]]) => last - first > CARRIED_SHARE * nodes.length).map(([name]) => name))
  const change = new Int32Array(nodes.length + 1)
  for (const [name, [first, last]] of spans) {
    if (carried.has(name)) continue
    change[first + 1] += 1
    change[last + 1] -= 1
  }
  const places = new Set<number>()
  let alive = 0
  for (let place = 0; place < nodes.length; place++) {
    alive += change[place]
    if (place > 0 && alive > 0 && alive <= width) places.add(place)
  }
  return places
}

function blockOf(whole: Graph, nodes: readonly Node[], later: readonly Node[], name: string): Graph {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const read = new Set(nodes.flatMap(nodeReads))
  const readLater = new Set([...later.flatMap(nodeReads), ...whole.outputs.map((output) => output.name)])
  const known = new Map([...whole.inputs, ...whole.outputs].map((info) => [info.name, info]))
  const infoOf = (value: string): ValueInfo => known.get(value) ?? whole.values.get(value) ?? { name: value, type: 'float32', shape: null }
  return {
    ...whole,
    name,
    nodes,
    inputs: [...read].filter((value) => !made.has(value) && !whole.initializers.has(value)).map(infoOf),
    outputs: [...made].filter((value) => value !== '' && readLater.has(value)).map(infoOf),
    initializers: new Map([...whole.initializers].filter(([value]) => read.has(value))),
    values: new Map([...whole.values].filter(([value]) => made.has(value))),
  }
}
