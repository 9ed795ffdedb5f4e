/**
 * @file The model of a training run, block by block: forward, and the gradient of a block that recomputes it from its input. Sessions
 * are made once for every kind of block; weights enter as they are stored, so that none of them is ever dense for being trained.
 */
import { availableParallelism } from 'node:os'
import { runtime } from '../../../../kernels/runtime.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../../kernels/kernels.ts'
import { AppError } from '../../../contract/errors.ts'
import { gradientOf, seedOf, vjp } from '../../autodiff/vjp.ts'
import { blockGraph } from '../../graph/decoder/block.ts'
import type { LinearKind } from '../../graph/decoder/layers.ts'
import { linears } from '../../graph/decoder/spec.ts'
import { encodeModel } from '../../graph/encode.ts'
import type { Graph } from '../../graph/graph.ts'
import type { BlockLayer } from '../../model.ts'
import { openContexts } from '../../session/positions.ts'
import { openProgram } from '../../session/program.ts'
import { kindOf, weightFeeds } from '../base/weight.ts'
import type { LogitTerm, Objective } from '../objectives/objective.ts'
import { branchFeeds } from '../trainables/adapters.ts'
import type { TrainingState } from '../trainables/state.ts'
import type { Trainable } from '../trainables/trainable.ts'
import type { Batch } from '../window.ts'
import { lossGraph, termsOf } from './loss-graph.ts'
import type { TeacherHead } from './teacher-head.ts'

/** Rows of a batch that are compared, with what they are compared with. */
export interface LossRows {
  /** Output of the last block, [rows, hidden]. */
  readonly hidden: Float32Array
  /** Further inputs of the loss graph: labels, weights, the teacher's targets. */
  readonly feeds: Readonly<Record<string, Tensor>>
}

export interface LossResult {
  /** Every term, summed over the rows by their weights. */
  readonly terms: Readonly<Partial<Record<LogitTerm, number>>>
  /** Of the objective's sum with respect to `hidden`; null unless asked for. */
  readonly gradient: Float32Array | null
}

export interface TrainingProgram {
  readonly state: TrainingState
  /** Input of the first block, [count · time, hidden]. */
  embed(batch: Batch): Promise<Float32Array>
  /** Output of a block. */
  forward(block: number, hidden: Float32Array, batch: Batch): Promise<Float32Array>
  /** Adds to the gradients of a block's trainables; gives that of its input. */
  backward(block: number, hidden: Float32Array, gradient: Float32Array, batch: Batch): Promise<Float32Array>
  /** The terms at the logits; with `backward` also gradients, and those of the final norm are added to. */
  loss(rows: LossRows, backward: boolean): Promise<LossResult>
  dispose(): void
}

export interface TrainingProgramOptions {
  readonly objective: Objective
  readonly teacherHead: TeacherHead | null
  readonly threads?: number | undefined
  readonly signal: AbortSignal
}

function float(data: Float32Array, ...dims: number[]): Tensor {
  return { type: 'float32', dims, data }
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new AppError('runtime-failed', `ONNX Runtime: found an output of type ${tensor?.type ?? 'nothing'}, expected float32`)
}

/** Opens a program over a state; its sessions are made when they are first needed. */
export function openTrainingProgram(state: TrainingState, { objective, teacherHead, threads = availableParallelism(), signal }: TrainingProgramOptions): TrainingProgram {
  const { base, weights, branches, extras, scales, trainables } = state
  const { spec } = base.model
  const options: SessionOptions = { threads }
  const sessions = new Map<string, Promise<NativeSession>>()
  const contexts = openContexts(spec)
  const outside = openProgram(base.model, { threads, signal, tableBytes: 0 })

  async function run(key: string, graph: () => Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
    const made = sessions.get(key) ?? runtime().createSession(encodeModel(graph()), options)
    sessions.set(key, made)
    const session = await made
    const wanted = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))
    return session.run(Object.fromEntries(wanted), Object.fromEntries(session.outputNames.map((name) => [name, null])), signal)
  }

  const trainablesOf = (block: number | null): readonly Trainable[] => trainables.filter((one) => one.block === block)
  const namesOf = (block: number | null): readonly string[] => trainablesOf(block).flatMap(({ wrt }) => wrt)

  function weightOf(layer: string) {
    const weight = weights.get(layer)
    if (weight === undefined) throw new Error(`no weight ${layer}`)
    return weight
  }

  function kindsOf(block: number): Partial<Record<BlockLayer, LinearKind>> {
    return Object.fromEntries(linears(spec).map((short) => {
      const layer = `blocks.${block}.${short}`
      return [short, kindOf(weightOf(layer), branches.get(layer)?.rank ?? 0)]
    }))
  }

  function vectors(block: number | null): Record<string, Tensor> {
    return Object.fromEntries(Object.entries(extras.get(block) ?? {}).map(([name, data]) => [name, float(data, data.length)]))
  }

  function blockFeeds(block: number, hidden: Float32Array, { count, time }: Batch): Record<string, Tensor> {
    const feeds: Record<string, Tensor> = { hidden: float(hidden, count, time, spec.hidden), ...contexts.feeds(spec.sliding[block], 0, time), ...vectors(block) }
    for (const short of linears(spec)) {
      const layer = `blocks.${block}.${short}`
      const branch = branches.get(layer)
      Object.assign(feeds, weightFeeds(short, weightOf(layer)), scales.get(layer)?.feeds(), branch && branchFeeds(short, branch))
    }
    return feeds
  }

  function gradientsOf(result: Readonly<Record<string, Tensor>>, names: readonly string[]): Record<string, Float32Array> {
    return Object.fromEntries(names.map((name) => [name, floats(result[gradientOf(name)])]))
  }

  return {
    state,
    async embed({ count, time, tokens }) {
      const { table, places } = await base.embedding(tokens)
      const hidden = new Float32Array(count * time * spec.hidden)
      for (let window = 0; window < count; window++) hidden.set(await outside.embed(places.subarray(window * time, (window + 1) * time), table), window * time * spec.hidden)
      return hidden
    },
    async forward(block, hidden, batch) {
      const kinds = kindsOf(block)
      return floats((await run(`forward ${JSON.stringify(kinds)}`, () => blockGraph(spec, { kinds }), blockFeeds(block, hidden, batch))).out)
    },
    async backward(block, hidden, gradient, batch) {
      const kinds = kindsOf(block)
      const names = namesOf(block)
      const feeds = { ...blockFeeds(block, hidden, batch), [seedOf('out')]: float(gradient, batch.count, batch.time, spec.hidden) }
      const result = await run(`backward ${JSON.stringify(kinds)} ${names.join()}`, () => vjp(blockGraph(spec, { kinds }), { of: ['out'], wrt: ['hidden', ...names] }), feeds)
      const found = gradientsOf(result, names)
      for (const trainable of trainablesOf(block)) trainable.pull(found)
      return floats(result[gradientOf('hidden')])
    },
    async loss({ hidden, feeds: given }, backward) {
      const names = namesOf(null)
      const head = weightOf('head')
      const graph = (): Graph => lossGraph(spec, { objective, head: kindOf(head, 0), teacherHead: teacherHead === null ? { weight: 'dense' } : kindOf(teacherHead.weight, 0), wrt: backward ? names : null })
      const feeds = { hidden: float(hidden, hidden.length / spec.hidden, spec.hidden), ...vectors(null), ...weightFeeds('head', head), ...teacherHead?.feeds, ...given }
      const result = await run(`loss ${String(backward)}`, graph, feeds)
      const terms = Object.fromEntries(termsOf(objective).map(([name]) => [name, floats(result[name])[0]]))
      if (!backward) return { terms, gradient: null }
      const found = gradientsOf(result, names)
      for (const trainable of trainablesOf(null)) trainable.pull(found)
      return { terms, gradient: floats(result[gradientOf('hidden')]) }
    },
    dispose() {
      for (const made of sessions.values()) void made.then((session) => session.dispose(), () => undefined)
      sessions.clear()
      outside.dispose()
    },
  }
}
