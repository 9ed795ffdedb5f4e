/** @file The pass of derivatives that some metrics make before anything is rounded: one number, or one for each output, a layer. */
import type { Context } from '../../contract/events.ts'
import { createSessions } from '../autodiff/stream.ts'
import { beginStage } from '../job/progress.ts'
import type { DifferentiableModel } from './differentiable.ts'
import { appended, noDraws, type Resumable } from './gradients/draws.ts'
import { openHessian } from './hessian/operator.ts'
import { topEigenvalues } from './hessian/top.ts'
import { hessianTraces } from './hessian/trace.ts'
import type { LayerScale } from './metrics/metric.ts'
import type { Metric } from './metrics/metrics.ts'
import { outputWeights } from './output-weights.ts'

export interface ScaleOptions {
  /** Draws of a trace. */
  readonly probes: number
  readonly seed: number
}

/** Samples whose mean Hessian an eigenvalue is of: each step of the iteration takes all of them through the model twice. */
const SAMPLES_OF_TOP = 4
/** Steps of the power iteration: a ranking needs no more than a few per cent. */
const STEPS_OF_TOP = 20
const TOLERANCE_OF_TOP = 1e-2

type Scales = (model: DifferentiableModel, options: ScaleOptions, context: Context, resumable: Resumable) => Promise<ReadonlyMap<string, LayerScale>>

async function traces(model: DifferentiableModel, options: ScaleOptions, context: Context, resumable: Resumable): Promise<ReadonlyMap<string, LayerScale>> {
  return new Map([...(await hessianTraces(model, options, context, resumable))].map(([layer, curvature]) => [layer, { curvature }]))
}

async function tops(model: DifferentiableModel, { seed }: ScaleOptions, context: Context, { known = noDraws, save }: Resumable): Promise<ReadonlyMap<string, LayerScale>> {
  const few = { ...model, samples: model.samples.slice(0, SAMPLES_OF_TOP) }
  const sessions = createSessions(model.session)
  const progress = beginStage(context, 'measure', model.layers.length, known.done)
  let draws = known
  try {
    for (const layer of model.layers.slice(known.done)) {
      const operator = openHessian(few, [layer], sessions)
      draws = appended(draws, 1, new Map([[layer.name, await topEigenvalues(operator, { seed, steps: STEPS_OF_TOP, tolerance: TOLERANCE_OF_TOP }, context)]]))
      operator.dispose()
      progress.advance(layer.name)
      await save?.(draws)
    }
  } finally {
    sessions.dispose()
  }
  return new Map(Object.entries(draws.values).map(([layer, [value = 0]]) => [layer, { curvature: { value, stderr: 0 } }]))
}

async function outputs(model: DifferentiableModel, _options: ScaleOptions, context: Context): Promise<ReadonlyMap<string, LayerScale>> {
  return new Map([...(await outputWeights(model, context))].map(([layer, weights]) => [layer, { outputs: weights }]))
}

export const layerScales: Readonly<Record<NonNullable<Metric['scales']>, Scales>> = { trace: traces, top: tops, outputs }
