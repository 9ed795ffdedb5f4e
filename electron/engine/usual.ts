/**
 * @file What is used where nothing is named. The metric is the one whose allocation is best for the time it takes. Of graphs that is `fisher`: lower divergence than
 * `kl-scaled` at equal bytes on a detector, a recognizer, a classifier and an encoder, in a fraction of the time. Of language models both allocate equally
 * well (metrics.bench.ts; within 2 % of each other's KL at 2.2 and 2.8 bits) and measuring is a small part of a run: `kl-scaled`, whose losses are KL itself.
 * The rounder is the best there is: `guided`, which language models have, else `gptq`.
 */
import type { Recipe } from '../contract/recipe.ts'
import { obstaclesOf } from './graph-model/obstacles.ts'
import { isGraphFile, openGraphModel, type GraphModel } from './graph-model/open.ts'
import type { MetricName } from './sensitivity/metrics/metrics.ts'

/** 16-bit weights up to this many are differentiated: they are held in 32 bits for it. */
const HALVES_MOST = 2 ** 29

/** Whether all of the graph can be differentiated. */
function hasDerivatives({ graph, layers }: GraphModel): boolean {
  const halves = layers.filter(({ initializer }) => initializer.type === 'float16').reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  return halves <= HALVES_MOST && obstaclesOf(graph).size === 0
}

/** The metric for an open graph. */
export const graphMetric = (model: GraphModel): MetricName => (hasDerivatives(model) ? 'fisher' : 'kl-scaled')

/** The metric for a model. @throws AppError as opening it */
export async function usualMetric(source: string): Promise<MetricName> {
  return isGraphFile(source) ? graphMetric(await openGraphModel(source)) : 'kl-scaled'
}

/** The rounder for a model. */
export const usualRounder = (source: string): Recipe['rounder'] => (isGraphFile(source) ? 'gptq' : 'guided')
