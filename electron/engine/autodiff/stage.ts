/**
 * @file A model as a chain of stages (embedding, blocks, head with the loss), each a graph that takes values of earlier stages
 * and weights as inputs. Stages may share a graph; then they share its sessions, and one stage's weights are all that is held.
 */
import { assert } from '../../contract/errors.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'
import { jvp, tangentOf } from './jvp.ts'
import { gradientOf, seedOf, vjp } from './vjp.ts'

export interface Stage {
  readonly name: string
  readonly graph: Graph
  /** Graph input → value: of the sample, or of an earlier stage. */
  readonly inputs: Readonly<Record<string, string>>
  /** Graph output → value. */
  readonly outputs: Readonly<Record<string, string>>
  /** Weight inputs to differentiate with respect to. */
  readonly wrt: readonly string[]
  /** Everything else the graph takes: weights and tables. Called when the stage is about to run. */
  load(): Promise<Readonly<Record<string, Tensor>>>
}

/** What flows back through a stage. */
export interface Flow {
  /** Graph inputs whose values move with a weight of an earlier stage, and so want a gradient. */
  readonly inputs: readonly string[]
  /** Graph outputs into which a gradient flows. */
  readonly outputs: readonly string[]
  /** The output that is the loss, which the backward pass gives too. */
  readonly loss: string | null
}

/** The flow of every stage: gradients start at `loss` and end at the earliest weights, or at values that are `nudged` themselves. */
export function flowOf(stages: readonly Stage[], loss: string, nudged: readonly string[] = []): readonly Flow[] {
  const moving = new Set<string>(nudged)
  const inputs = stages.map((stage) => {
    const found = Object.entries(stage.inputs).filter(([, value]) => moving.has(value)).map(([input]) => input)
    if (found.length > 0 || stage.wrt.length > 0) for (const value of Object.values(stage.outputs)) moving.add(value)
    return found
  })
  assert(moving.has(loss), `no weights lead to ${loss}`)
  const wanted = new Set([loss])
  const outputs = stages.map((): readonly string[] => [])
  for (let index = stages.length - 1; index >= 0; index--) {
    outputs[index] = Object.entries(stages[index].outputs).filter(([, value]) => wanted.has(value) && moving.has(value)).map(([output]) => output)
    if (outputs[index].length > 0) for (const input of inputs[index]) wanted.add(stages[index].inputs[input])
  }
  return stages.map((stage, index) => ({ inputs: inputs[index], outputs: outputs[index], loss: Object.entries(stage.outputs).find(([, value]) => value === loss)?.[0] ?? null }))
}

/** Names in the graphs of a stage: gradients, and along a direction the tangents of values and of gradients. */
export const names = {
  seed: seedOf,
  gradient: gradientOf,
  tangent: tangentOf,
  /** Tangent of the seed of an output. */
  seedTangent: (output: string): string => `seed-tangent:${output}`,
  /** Tangent of the gradient of an input. */
  gradientTangent: (input: string): string => `grad-tangent:${input}`,
} as const

/** Outputs of the stage, as they are. */
export function forwardGraph(stage: Stage): Graph {
  const outputs = Object.keys(stage.outputs)
  return { ...stage.graph, outputs: stage.graph.outputs.filter(({ name }) => outputs.includes(name)) }
}

/** Jᵀ λ with respect to the flowing inputs and the weights. */
export function backwardGraph(stage: Stage, flow: Flow): Graph {
  return vjp(stage.graph, { of: flow.outputs, wrt: [...flow.inputs, ...stage.wrt], keep: lossOf(flow) })
}

function lossOf({ loss }: Flow): readonly string[] {
  return loss === null ? [] : [loss]
}

/** y and its tangent J (ẋ, ẇ), in one graph. */
export function tangentGraph(stage: Stage, flow: Flow): Graph {
  return jvp(stage.graph, { of: flow.outputs, wrt: [...flow.inputs, ...stage.wrt], keep: Object.keys(stage.outputs) })
}

/**
 * The tangent of Jᵀ λ: with φ = ⟨λ, y⟩ it is ∇²φ (ẋ, ẇ) + Jᵀ λ̇, which is the gradient of ⟨ẋ, ∂φ/∂x⟩ + ⟨ẇ, ∂φ/∂w⟩ + ⟨λ̇, y⟩. One
 * reverse pass over the reverse pass; no third derivative.
 */
export function backwardTangentGraph(stage: Stage, flow: Flow, keepsGradients: boolean): Graph {
  const wrt = [...flow.inputs, ...stage.wrt]
  const first = vjp(stage.graph, { of: flow.outputs, wrt, keep: flow.outputs, virtual: true })
  const gradients = new Map(wrt.map((name) => [gradientOf(name), name]))
  return vjp(first, {
    of: [...gradients.keys(), ...flow.outputs],
    wrt,
    keep: [...lossOf(flow), ...(keepsGradients ? wrt : flow.inputs).map(gradientOf)],
    seedName: (name) => (gradients.has(name) ? names.tangent(gradients.get(name) ?? '') : names.seedTangent(name)),
    gradientName: names.gradientTangent,
  })
}
