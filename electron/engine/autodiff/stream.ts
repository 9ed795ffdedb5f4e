/**
 * @file Gradients and Hessian-vector products of a model that is never whole in memory. Forward, the inputs of every stage are
 * parked; backward, one stage at a time is recomputed from them and differentiated. Exact: the same sums as over the whole
 * graph. Products take a forward pass of tangents and a backward pass of tangents (forward over reverse, stage by stage).
 */
import { runtime } from '../../../kernels/runtime.ts'
import { encodeModel } from '../graph/encode.ts'
import { memoryPark, type ValuePark } from './park.ts'
import { backwardGraph, backwardTangentGraph, flowOf, forwardGraph, names, tangentGraph, type Flow, type Stage } from './stage.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'

export type Sample = Readonly<Record<string, Tensor>>
export type Tensors = Readonly<Record<string, Tensor>>

/** What a stage's backward pass gave for one sample. The tensors are overwritten by the next call. */
export interface StageResult {
  readonly stage: Stage
  readonly sample: number
  /** ∂loss/∂w by weight input; for products only where asked for. */
  readonly gradients: Tensors
  /** (H v) by weight input; empty for gradients. */
  readonly products: Tensors
  /** (H v) by those of the stage's outputs that were nudged; empty for gradients. */
  readonly values: Tensors
}

export interface StreamOptions {
  /** The value that is differentiated: a scalar of the last stage. */
  readonly loss: string
  readonly session?: SessionOptions
  /** A fresh park; in memory where none is given. */
  readonly park?: () => ValuePark
  /** Values between stages that move by themselves too, as if a zero were added to each. */
  readonly nudged?: readonly string[]
  /** Sessions to share with other streams over the same graphs; who made them disposes of them. */
  readonly sessions?: Sessions
}

export interface RunOptions {
  readonly signal?: AbortSignal
  readonly take: (result: StageResult) => void | Promise<void>
}

export interface ProductOptions extends RunOptions {
  /** The direction's part in the weights of a stage, in their shapes. Called twice a stage and sample: it must give the same both times. */
  readonly direction: (stage: Stage, sample: number) => Tensors | Promise<Tensors>
  /** The direction's part in a value named in `nudged`, in its shape: a move that adds to what the weights cause. */
  readonly nudge?: (value: string, sample: number, dims: readonly number[]) => Float32Array
  /** Also give the gradients. */
  readonly gradients?: boolean
}

export interface Stream {
  /** Loss of every sample; gradients of one stage at a time go to `take`, last stage first. */
  gradient(samples: readonly Sample[], options: RunOptions): Promise<number[]>
  /** Loss of every sample; products of the Hessian of each sample's loss with the direction go to `take`, last stage first. */
  product(samples: readonly Sample[], options: ProductOptions): Promise<number[]>
  dispose(): void
}

/** Sessions of stages, made when first needed and shared by stages of the same graph. */
export interface Sessions {
  open(graph: Graph, key: string, make: () => Graph): Promise<NativeSession>
  dispose(): void
}

type Kind = 'forward' | 'backward' | 'tangent' | 'backward-tangent' | 'backward-tangent-only'
type Make = (stage: Stage, flow: Flow) => Graph

const makers: Readonly<Record<Kind, Make>> = {
  forward: forwardGraph,
  backward: backwardGraph,
  tangent: tangentGraph,
  'backward-tangent': (stage, flow) => backwardTangentGraph(stage, flow, true),
  'backward-tangent-only': (stage, flow) => backwardTangentGraph(stage, flow, false),
}

export function createSessions(options: SessionOptions = {}): Sessions {
  const opened = new Map<Graph, Map<string, Promise<NativeSession>>>()
  // Weights change from stage to stage: packing them for one would be for nothing.
  const config = { 'session.disable_prepacking': '1', ...options.config }
  return {
    open(graph, key, make) {
      const known = opened.get(graph) ?? new Map<string, Promise<NativeSession>>()
      opened.set(graph, known)
      const made = known.get(key) ?? runtime().createSession(encodeModel(make()), { ...options, config })
      known.set(key, made)
      return made
    },
    dispose() {
      for (const known of opened.values()) for (const made of known.values()) void made.then((session) => session.dispose(), () => undefined)
      opened.clear()
    },
  }
}

export function createStream(stages: readonly Stage[], { loss, session: sessionOptions = {}, park: makePark = memoryPark, nudged = [], sessions: shared }: StreamOptions): Stream {
  const flows = flowOf(stages, loss, nudged)
  const isNudged = new Set(nudged)
  const sessions = shared ?? createSessions(sessionOptions)
  /** Places for weight gradients, written again and again: by session and output. */
  const places = new Map<NativeSession, Record<string, Tensor>>()
  const first = flows.findIndex((flow, index) => flow.outputs.length > 0 && (flow.inputs.length > 0 || stages[index].wrt.length > 0))

  const open = (stage: Stage, flow: Flow, kind: Kind): Promise<NativeSession> =>
    sessions.open(stage.graph, JSON.stringify([kind, flow, stage.wrt, Object.keys(stage.outputs)]), () => makers[kind](stage, flow))

  /** Runs a session on what it asks for among `feeds`; results named in `kept` are written in place of those of the last run. */
  async function run(session: NativeSession, feeds: Tensors, kept: readonly string[], signal: AbortSignal | undefined): Promise<Record<string, Tensor>> {
    const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]))
    const own = places.get(session) ?? {}
    const result = await session.run(given, Object.fromEntries(session.outputNames.map((name) => [name, own[name] ?? null])), signal)
    places.set(session, Object.fromEntries(kept.filter((name) => result[name] !== undefined).map((name) => [name, result[name]])))
    return result
  }

  async function inputsOf(stage: Stage, sample: number, samples: readonly Sample[], park: ValuePark): Promise<Record<string, Tensor>> {
    const values: Record<string, Tensor> = {}
    for (const [input, value] of Object.entries(stage.inputs)) values[input] = samples[sample][value] ?? await park.get(`${sample}/${value}`)
    return values
  }

  /** Forward: every value that a later stage reads is parked, with its tangent where a direction is given. */
  async function forward(samples: readonly Sample[], park: ValuePark, signal: AbortSignal | undefined, along: ProductOptions | undefined): Promise<void> {
    for (let index = 0; index < stages.length - 1; index++) {
      const [stage, flow] = [stages[index], flows[index]]
      const hasTangent = along !== undefined && flow.outputs.length > 0 && (flow.inputs.length > 0 || stage.wrt.length > 0)
      const session = await open(stage, flow, hasTangent ? 'tangent' : 'forward')
      const loaded = await stage.load()
      for (let sample = 0; sample < samples.length; sample++) {
        const moved = hasTangent && stage.wrt.length > 0 ? tangents(await along.direction(stage, sample)) : {}
        const passing = hasTangent ? await tangentsOf(stage, flow, sample, park) : {}
        const result = await run(session, { ...loaded, ...(await inputsOf(stage, sample, samples, park)), ...moved, ...passing }, [], signal)
        for (const [output, value] of Object.entries(stage.outputs)) await park.put(`${sample}/${value}`, result[output])
        if (along !== undefined) for (const output of flow.outputs) {
          const value = stage.outputs[output]
          const tangent = nudgedTangent(value, sample, result[output], result[names.tangent(output)], along)
          if (tangent !== null) await park.put(`${sample}/tangent/${value}`, tangent)
        }
      }
    }
  }

  /** What a value moves by: what the stage passes on, and its own nudge. */
  function nudgedTangent(value: string, sample: number, { dims, type }: Tensor, passed: Tensor | undefined, { nudge }: ProductOptions): Tensor | null {
    if (nudge === undefined || !isNudged.has(value)) return passed ?? null
    const own = nudge(value, sample, dims)
    if (passed === undefined) return { type, dims, data: own }
    for (let at = 0; at < own.length; at++) passed.data[at] = Number(passed.data[at]) + own[at]
    return passed
  }

  async function tangentsOf(stage: Stage, flow: Flow, sample: number, park: ValuePark): Promise<Record<string, Tensor>> {
    const found: Record<string, Tensor> = {}
    for (const input of flow.inputs) found[names.tangent(input)] = await park.get(`${sample}/tangent/${stage.inputs[input]}`)
    return found
  }

  /** Backward over all stages that lead to weights, last first. */
  async function backward(samples: readonly Sample[], park: ValuePark, options: RunOptions, along: ProductOptions | undefined): Promise<number[]> {
    const { signal, take } = options
    const found: number[] = []
    const gradients = new Map<string, Tensor>()
    for (let index = stages.length - 1; index >= 0; index--) {
      const [stage, flow] = [stages[index], flows[index]]
      if (flow.outputs.length === 0) continue
      const runs = index >= first && (flow.inputs.length > 0 || stage.wrt.length > 0)
      const kind = along === undefined ? 'backward' : along.gradients === true ? 'backward-tangent' : 'backward-tangent-only'
      const session = runs ? await open(stage, flow, kind) : null
      const loaded = runs ? await stage.load() : {}
      const kept = stage.wrt.flatMap((name) => [names.gradient(name), names.gradientTangent(name)])
      for (let sample = 0; sample < samples.length; sample++) {
        const values = along === undefined ? {} : arrivedAt(stage, flow, sample, gradients)
        const result: Record<string, Tensor> = {}
        if (session !== null) {
          const moved = along !== undefined && stage.wrt.length > 0 ? tangents(await along.direction(stage, sample)) : {}
          const inputs = await inputsOf(stage, sample, samples, park)
          const seeds = Object.fromEntries(flow.outputs.flatMap((output) => seedsOf(stage.outputs[output], output, sample, gradients)))
          const passing = along === undefined ? {} : await tangentsOf(stage, flow, sample, park)
          Object.assign(result, await run(session, { ...loaded, ...inputs, ...seeds, ...moved, ...passing }, kept, signal))
          if (flow.loss !== null) found.push(Number(result[flow.loss].data[0]))
        }
        for (const output of flow.outputs) for (const key of keysOf(sample, stage.outputs[output])) gradients.delete(key)
        if (session !== null) for (const input of flow.inputs) {
          const [key, tangentKey] = keysOf(sample, stage.inputs[input])
          addTo(gradients, key, result[names.gradient(input)])
          if (along !== undefined) addTo(gradients, tangentKey, result[names.gradientTangent(input)])
        }
        const pick = (nameOf: (name: string) => string): Tensors => Object.fromEntries(stage.wrt.filter((name) => result[nameOf(name)] !== undefined).map((name) => [name, result[nameOf(name)]]))
        if (stage.wrt.length > 0 || Object.keys(values).length > 0) await take({ stage, sample, gradients: pick(names.gradient), products: pick(names.gradientTangent), values })
      }
      await clear(park, samples, index, index + 1)
    }
    return found
  }

  /** Products with respect to the nudged outputs of a stage: the tangents of all that has flowed back into them. */
  function arrivedAt({ outputs }: Stage, flow: Flow, sample: number, gradients: ReadonlyMap<string, Tensor>): Tensors {
    const found: Record<string, Tensor> = {}
    for (const output of flow.outputs) {
      const arrived = gradients.get(keysOf(sample, outputs[output])[1])
      if (isNudged.has(outputs[output]) && arrived !== undefined) found[outputs[output]] = arrived
    }
    return found
  }

  /** The gradient that arrives at a value and its tangent; 1 and 0 at the loss. */
  function seedsOf(value: string, output: string, sample: number, gradients: ReadonlyMap<string, Tensor>): [string, Tensor][] {
    const [key, tangentKey] = keysOf(sample, value)
    const one = (number: number): Tensor => ({ type: 'float32', dims: [], data: Float32Array.of(number) })
    const [gradient, tangent] = [gradients.get(key) ?? one(1), gradients.get(tangentKey) ?? one(0)]
    return [[names.seed(output), gradient], [names.seedTangent(output), tangent]]
  }

  async function clear(park: ValuePark, samples: readonly Sample[], from: number, to: number): Promise<void> {
    for (const stage of stages.slice(from, to)) {
      for (const value of Object.values(stage.outputs)) for (const sample of samples.keys()) for (const key of keysOf(sample, value)) await park.drop(key)
    }
  }

  return {
    async gradient(samples, options) {
      const park = makePark()
      await forward(samples, park, options.signal, undefined)
      return backward(samples, park, options, undefined)
    },
    async product(samples, options) {
      const park = makePark()
      await forward(samples, park, options.signal, options)
      return backward(samples, park, options, options)
    },
    dispose() {
      if (shared === undefined) sessions.dispose()
      places.clear()
    },
  }
}

function tangents(direction: Tensors): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(direction).map(([name, value]) => [names.tangent(name), value]))
}

function keysOf(sample: number, value: string): readonly [gradient: string, tangent: string] {
  return [`${sample}/${value}`, `${sample}/tangent/${value}`]
}

/** Gradients of a value that several stages read add up. */
function addTo(gradients: Map<string, Tensor>, key: string, value: Tensor): void {
  const known = gradients.get(key)
  if (known === undefined) {
    gradients.set(key, value)
    return
  }
  for (let index = 0; index < value.data.length; index++) known.data[index] = Number(known.data[index]) + Number(value.data[index])
}
