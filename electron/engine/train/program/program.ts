/** @file What training adds to a packed model: the gradient of a block, recomputed from its input, and the loss at the logits with its own. */
import type { Tensor } from '../../../../kernels/kernels.ts'
import { gradientOf, seedOf, vjp } from '../../autodiff/vjp.ts'
import { blockGraph } from '../../graph/decoder/block.ts'
import type { Graph } from '../../graph/graph.ts'
import { kindOf } from '../base/weight.ts'
import type { LogitTerm, Objective } from '../objectives/objective.ts'
import type { TrainingState } from '../trainables/state.ts'
import type { Trainable } from '../trainables/trainable.ts'
import { lossGraph, termsOf } from './loss-graph.ts'
import { float, floats, openPackedProgram, piecesOf, type Feeds, type PackedProgram, type PackedProgramOptions, type Tokens } from './packed-program.ts'
import type { TeacherHead } from './teacher-head.ts'

/** Rows of a batch that are judged, with what they are compared with. */
export interface LossRows {
  /** Output of the last block, [rows, hidden]. */
  readonly hidden: Float32Array
  /** Further inputs of the loss graph: labels, weights, the teacher's targets. */
  readonly feeds: Feeds
}

export interface LossResult {
  /** Every term, summed over the rows by their weights. */
  readonly terms: Readonly<Partial<Record<LogitTerm, number>>>
  /** Of the objective's sum with respect to `hidden`; null unless asked for. */
  readonly gradient: Float32Array | null
}

export interface TrainingProgram extends PackedProgram {
  /** Adds to the gradients of a block's trainables; gives that of its input. */
  backward(block: number, hidden: Float32Array, gradient: Float32Array, batch: Tokens): Promise<Float32Array>
  /** The terms at the logits; with `backward` also gradients, and those of the final norm are added to. */
  loss(rows: LossRows, backward: boolean): Promise<LossResult>
}

export interface TrainingProgramOptions extends PackedProgramOptions {
  readonly objective: Objective
  readonly teacherHead: TeacherHead | null
}

function gradientsOf(result: Readonly<Record<string, Tensor>>, names: readonly string[]): Record<string, Float32Array> {
  return Object.fromEntries(names.map((name) => [name, floats(result[gradientOf(name)])]))
}

/** Opens a program over a state; its sessions are made when they are first needed. */
export function openTrainingProgram(state: TrainingState, { objective, teacherHead, ...options }: TrainingProgramOptions): TrainingProgram {
  const { spec } = state.base.model
  const packed = openPackedProgram(state, options)
  const trainablesOf = (block: number | null): readonly Trainable[] => state.trainables.filter((one) => one.block === block)
  /** As large as the weights, and read at once. */
  const gradientsOfCodes = (block: number): readonly string[] => trainablesOf(block).filter(({ set }) => set === 'codes').flatMap(({ wrt }) => wrt.map(gradientOf))
  const namesOf = (block: number | null): readonly string[] => trainablesOf(block).flatMap(({ wrt }) => wrt)

  return {
    ...packed,
    async backward(block, hidden, gradient, batch) {
      const kinds = packed.kinds(block)
      const names = namesOf(block)
      const feeds = { ...(await packed.blockFeeds(block, hidden, batch)), [seedOf('out')]: float(gradient, batch.count, batch.time, spec.hidden) }
      const result = await packed.run(`backward ${JSON.stringify(kinds)} ${names.join()}`, () => vjp(blockGraph(spec, { kinds, pieces: piecesOf(spec) }), { of: ['out'], wrt: ['hidden', ...names] }), feeds, gradientsOfCodes(block))
      const found = gradientsOf(result, names)
      for (const trainable of trainablesOf(block)) await trainable.pull(found)
      return floats(result[gradientOf('hidden')])
    },
    async loss({ hidden, feeds: given }, backward) {
      const names = namesOf(null)
      const graph = (): Graph => lossGraph(spec, { objective, head: packed.headKind(), teacherHead: teacherHead === null ? { weight: 'dense' } : kindOf(teacherHead.weight, 0), wrt: backward ? names : null })
      const feeds = { ...packed.headFeeds(), ...teacherHead?.feeds, ...given, hidden: float(hidden, hidden.length / spec.hidden, spec.hidden) }
      const result = await packed.run(`loss ${String(backward)}`, graph, feeds)
      const terms = Object.fromEntries(termsOf(objective).map(([name]) => [name, floats(result[name])[0]]))
      if (!backward) return { terms, gradient: null }
      const found = gradientsOf(result, names)
      for (const trainable of trainablesOf(null)) await trainable.pull(found)
      return { terms, gradient: floats(result[gradientOf('hidden')]) }
    },
  }
}
