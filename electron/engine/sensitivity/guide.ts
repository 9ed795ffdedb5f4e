/**
 * @file One backward pass over the calibration windows for guided statistics (calibrate/guidance.ts): squared norms of the loss's gradients at
 * the outputs of every linear layer, token by token, and the second moment of those at the embedding. No gradient of a weight is made. The
 * loss is the cross-entropy of tokens drawn from the model's own predictions, so that squares of gradients estimate the curvature of the KL.
 */
import { setImmediate } from 'node:timers/promises'
import type { Context } from '../../contract/events.ts'
import { createStream } from '../autodiff/stream.ts'
import { layersOfTap, taps } from '../calibrate/runner.ts'
import type { Guidance, GuidedPlace } from '../calibrate/guidance.ts'
import { addInputs, emptyStatistics, type Statistics } from '../calibrate/statistics.ts'
import { beginStage } from '../job/progress.ts'
import type { DecoderModel } from '../session/model.ts'
import { differentiableDecoder } from './differentiable-decoder.ts'
import type { DifferentiableModel } from './differentiable.ts'
import { SAMPLES_TOGETHER } from './gradients/sample-gradients.ts'
import { atOutputs, type Reader } from './output-weights.ts'
import { openValueParks, parkedBytes } from './value-parks.ts'

/** Values between turns of other work. */
const TURN = 1 << 20

const tapOf = new Map<string, string>(taps.flatMap((tap) => layersOfTap[tap].map((layer) => [layer, tap] as const)))

/** What is guided by the gradients at a layer's outputs in a stage. */
function placeOf({ layer }: Reader, stage: string): GuidedPlace {
  return stage === 'head' ? 'head' : `${stage as `blocks.${number}`}.${tapOf.get(layer.slice(layer.lastIndexOf('.') + 1)) as (typeof taps)[number]}`
}

/** Σ over a token's outputs of g², added to `squares` [tokens]. Logits are many: other work gets its turn between tokens. */
async function addSquares(squares: Float32Array, gradient: ArrayLike<number>): Promise<void> {
  const outputs = gradient.length / squares.length
  for (let token = 0, at = 0; token < squares.length; token++) {
    let sum = 0
    for (const end = at + outputs; at < end; at++) sum += gradient[at] ** 2
    squares[token] += sum
    if (at % TURN < outputs) await setImmediate()
  }
}

const meanOf = (windows: readonly Float32Array[]): number => windows.reduce((sum, window) => sum + window.reduce((a, b) => a + b, 0) / window.length, 0) / windows.length

/** Roots of the squares over their means. */
function guidanceOf(squares: ReadonlyMap<GuidedPlace, readonly Float32Array[]>, lookups: Statistics | null): Guidance {
  const means = new Map([...squares].map(([place, windows]) => [place, meanOf(windows)]))
  const roots = new Map([...squares].map(([place, windows]) => [place, windows.map((window) => window.map((square) => Math.sqrt(square / (means.get(place) || 1))))]))
  return { roots: (place, window) => roots.get(place)?.[window], lookups, headMean: means.get('head') || 1 }
}

/** Guides the statistics by the model's samples, which are the calibration windows in their order. */
async function guideBy(model: DifferentiableModel, context: Context): Promise<Guidance> {
  const { stages, readerOf } = atOutputs(model)
  const squares = new Map<GuidedPlace, Float32Array[]>()
  let lookups: Statistics | null = null
  const stream = createStream(stages, { loss: model.loss, park: model.park, ...(model.session && { session: model.session }) })
  const progress = beginStage(context, 'calibrate', model.samples.length * stages.length)
  try {
    for (let first = 0; first < model.samples.length; first += SAMPLES_TOGETHER) {
      await stream.gradient(model.samples.slice(first, first + SAMPLES_TOGETHER), {
        signal: context.signal,
        async take({ stage, sample, gradients }) {
          for (const [value, { data, dims }] of Object.entries(gradients)) {
            const reader = readerOf(stage.name, value)
            if (reader === undefined) continue
            if (reader.kind === 'columns') {
              lookups ??= emptyStatistics(dims.at(-1) ?? 1)
              await addInputs(lookups, data as Float32Array)
              continue
            }
            const place = placeOf(reader, stage.name)
            const windows = squares.get(place) ?? []
            squares.set(place, windows)
            await addSquares((windows[first + sample] ??= new Float32Array(model.predictions)), data as Float32Array)
          }
          progress.advance(`${stage.name}, window ${first + sample + 1} of ${model.samples.length}`)
        },
      })
    }
  } finally {
    stream.dispose()
  }
  return guidanceOf(squares, lookups)
}

export interface GuideOptions {
  /** Of the draws from the model's predictions. */
  readonly seed: number
  /** Most bytes of activations in memory; the others wait in `folder`. */
  readonly memoryBytes?: number | undefined
  readonly folder: string
}

/** Guides the statistics of a decoder over its calibration windows. */
export async function guide(model: DecoderModel, windows: readonly Int32Array[], { seed, memoryBytes, folder }: GuideOptions, context: Context): Promise<Guidance> {
  const parks = openValueParks(parkedBytes(model.spec, windows[0]?.length ?? 0), memoryBytes, folder)
  try {
    return await guideBy(differentiableDecoder(model, windows, { loss: 'own-predictions', seed, park: parks.open }), context)
  } finally {
    await parks.dispose()
  }
}
