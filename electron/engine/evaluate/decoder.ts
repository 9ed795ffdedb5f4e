/**
 * @file A decoder as something to evaluate: all windows go through one block before the next block's weights are read, with
 * their hidden states parked between; the head runs on demand over the positions that are scored.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { BlockWeights } from '../calibrate/runner.ts'
import type { DecoderModel } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { openProgram } from '../session/program.ts'
import type { Evaluable } from './evaluable.ts'

export interface DecoderOptions {
  readonly threads?: number | undefined
  /** Most bytes of hidden states in memory; the rest goes to `folder`. */
  readonly memoryBytes?: number | undefined
  readonly folder?: string
  /** Weights in place of the checkpoint's: new arrays, released when the block is done. */
  readonly weights?: ((block: number) => Promise<BlockWeights>) | undefined
}

/** Hidden states in memory unless told otherwise: 2,000 windows of 512 of the sample model. */
const PARK_BYTES = 1 << 30

/** Bytes and weights of the tensors that hold layers. */
function layerBytes({ checkpoint, places, layers }: DecoderModel): { bytes: number; elements: number } {
  const tensors = new Set(layers.map(({ name }) => places.get(name)?.tensor ?? ''))
  return {
    bytes: [...tensors].reduce((sum, name) => sum + (checkpoint.tensors.get(name)?.byteLength ?? 0), 0),
    elements: layers.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0),
  }
}

/** A decoder to evaluate. Closing it closes the model. */
export function evaluableDecoder(model: DecoderModel, { threads, memoryBytes = PARK_BYTES, folder, weights }: DecoderOptions = {}): Evaluable {
  const { spec } = model
  return {
    path: model.path,
    vocabulary: spec.vocabulary,
    contextLength: spec.positions.kind === 'learned' ? spec.positions.rows - spec.positions.offset : null,
    sizeBytes: model.checkpoint.sizeBytes,
    elements: model.elements,
    layers: layerBytes(model),
    steps: spec.blocks,
    async prepare(windows, from, step, { signal }) {
      const program = openProgram(model, { signal, threads, weights })
      const slotBytes = Math.max(...windows.map((window) => window.length)) * spec.hidden * 4
      const park = openPark({ windows: windows.length, slotBytes, memoryBytes, ...(folder !== undefined && { folder }) })
      const dispose = async (): Promise<void> => {
        program.dispose()
        await park.dispose()
      }
      try {
        for (const [index, window] of windows.entries()) await park.set(index, await program.embed(window))
        for (let block = 0; block < spec.blocks; block++) {
          const resident = await program.weights(block)
          for (let index = 0; index < windows.length; index++) {
            const hidden = await program.run(block, await park.get(index), resident)
            await park.set(index, block === spec.blocks - 1 ? await program.finish(hidden.slice(from * spec.hidden)) : hidden)
            step()
          }
          await kernels().release(Object.values(resident))
        }
      } catch (cause) {
        await dispose()
        throw cause
      }
      let place: Float32Array | undefined
      return {
        async logits(window, first, last) {
          const finished = await park.get(window)
          return (place = await program.logits(finished.subarray((first - from) * spec.hidden, (last - from) * spec.hidden), undefined, place))
        },
        dispose,
      }
    },
    close: () => model.close(),
  }
}
