/**
 * @file Forward-mode differentiation by the double-vjp identity: ȳ ↦ Jᵀ ȳ is linear, and the gradient of ⟨Jᵀ ȳ, ẋ⟩ with respect to
 * ȳ is J ẋ. The values of ȳ drop out of the result.
 */
import { createAlgebra } from '../graph/algebra.ts'
import { copyGraph } from '../graph/copy.ts'
import { createEmitter } from '../graph/emitter.ts'
import { prune } from '../graph/prune.ts'
import { sortNodes } from '../graph/topology.ts'
import { gradientOf, seedOf, vjp } from './vjp.ts'
import type { Graph } from '../graph/graph.ts'

export interface JvpOptions {
  readonly of: readonly string[]
  readonly wrt: readonly string[]
  readonly keep?: readonly string[]
  readonly virtual?: boolean
}

export const tangentOf = (name: string): string => `tangent:${name}`

/** A graph with inputs `tangent:NAME` for every name in `wrt`, and outputs `keep` and `tangent:NAME` for every name in `of`. */
export function jvp(graph: Graph, { of, wrt, keep = [], virtual = false }: JvpOptions): Graph {
  const pulled = vjp(graph, { of, wrt, keep: [...new Set([...of, ...keep])], virtual: true })
  const pushed = vjp(pulled, {
    of: wrt.map(gradientOf),
    wrt: of.map(seedOf),
    keep: [...new Set([...of, ...keep])],
    seedName: (name) => tangentOf(name.slice(gradientOf('').length)),
    gradientName: (name) => tangentOf(name.slice(seedOf('').length)),
    virtual,
  })
  const outputs = [...keep, ...of.map(tangentOf)]
  return withoutSeeds({ ...pushed, outputs: pushed.outputs.filter(({ name }) => outputs.includes(name)) }, of)
}

/** The seeds as constants: where they are still read it is for their shapes, which are those of the values. */
function withoutSeeds(graph: Graph, of: readonly string[]): Graph {
  const seeds = new Map(of.map((name) => [seedOf(name), name]))
  const pruned = prune(graph)
  const inputs = graph.inputs.filter(({ name }) => !seeds.has(name))
  if (!pruned.nodes.some((node) => node.inputs.some((input) => seeds.has(input)))) return { ...pruned, inputs }
  const g = createAlgebra(createEmitter(graph.opset))
  copyGraph(g, graph)
  const zeros = new Map([...seeds].map(([seed, value]) => [seed, g.zerosLike(value)]))
  const built = g.build(graph.name, graph.outputs.map(({ name }) => [name, name] as const), graph.metadata)
  const nodes = built.nodes.map((node) => ({ ...node, inputs: node.inputs.map((input) => zeros.get(input) ?? input) }))
  return prune(sortNodes({ ...built, nodes, inputs }))
}
