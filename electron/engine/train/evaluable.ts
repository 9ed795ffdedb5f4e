/** @file A base with its branches and norms as something to evaluate, computed as it is trained: over packed weights. */
import type { TrainedWeights } from './trained.ts'
import type { Evaluable } from '../evaluate/evaluable.ts'
import { openPark } from '../session/park.ts'
import { withBlobs, type Base } from './base/base.ts'
import { openPackedProgram } from './program/packed-program.ts'
import { openState } from './trainables/state.ts'

export interface EvaluableBaseOptions {
  readonly threads?: number | undefined
  /** Most bytes of hidden states in memory. */
  readonly memoryBytes?: number | undefined
  /** What the model takes as a file, for the report. */
  readonly sizeBytes?: number
}

const PARK_BYTES = 1 << 30

/** A base under trained weights (none for the base alone). Closing it leaves the base's model open. */
export function evaluableBase(base: Base, weights: Partial<TrainedWeights>, { threads, memoryBytes = PARK_BYTES, sizeBytes }: EvaluableBaseOptions = {}): Evaluable {
  const { model } = base
  const { spec } = model
  return {
    path: model.path,
    vocabulary: spec.vocabulary,
    contextLength: spec.positions.kind === 'learned' ? spec.positions.rows - spec.positions.offset : null,
    sizeBytes: sizeBytes ?? model.checkpoint.sizeBytes,
    elements: model.elements,
    layers: null,
    steps: spec.blocks,
    async prepare(windows, from, step, { signal }) {
      const state = await openState(withBlobs(base, weights.blobs ?? new Map()), { adapter: weights.adapter ?? new Map(), sets: [], ...(weights.norms && { norms: weights.norms }) }, signal)
      const program = openPackedProgram(state, { threads, signal })
      const park = openPark({ windows: windows.length, slotBytes: Math.max(...windows.map(({ length }) => length)) * spec.hidden * 4, memoryBytes })
      const dispose = async (): Promise<void> => {
        program.dispose()
        await park.dispose()
      }
      try {
        for (const [index, tokens] of windows.entries()) {
          const batch = { count: 1, time: tokens.length, tokens }
          let hidden = await program.embed(batch)
          for (let block = 0; block < spec.blocks; block++) {
            hidden = await program.forward(block, hidden, batch)
            step()
          }
          await park.set(index, hidden.slice(from * spec.hidden))
        }
      } catch (cause) {
        await dispose()
        throw cause
      }
      return {
        async logits(window, first, last) {
          return program.logits((await park.get(window)).slice((first - from) * spec.hidden, (last - from) * spec.hidden))
        },
        dispose,
      }
    },
    close: () => Promise.resolve(),
  }
}
