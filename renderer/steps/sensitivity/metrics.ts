/** @file The ways to measure, in plain words: what each tells, and what it costs beside the others. */

export interface MetricWords { readonly label: string; readonly unit: string; readonly cost: string; readonly about: string }

export const metrics: Readonly<Record<string, MetricWords>> = {
  'kl-scaled': { label: 'Scaled by measured KL', unit: 'KL', cost: 'moderate', about: 'Each layer’s output error on your data, scaled by how much the model’s predictions change at two sizes.' },
  'layer-output': { label: 'Output error of each layer', unit: 'output error', cost: 'quick', about: 'How far each layer’s output moves on your data. Good within one model; says nothing about the predictions.' },
  imatrix: { label: 'Weighted rounding error', unit: 'weighted error', cost: 'quickest', about: 'Rounding error of the weights, weighted by how much their inputs are used, as llama.cpp’s importance matrix does.' },
  sqnr: { label: 'Noise to signal', unit: 'noise to signal', cost: 'quickest; needs no data', about: 'How far the weights move, beside their own size.' },
  'hessian-trace': { label: 'Curvature of the loss: mean trace (HAWQ-V2)', unit: 'trace · error', cost: 'slow: second derivatives of the whole model for each draw', about: 'How sharply the loss bends along each layer on average, times the rounding error.' },
  'hessian-top': { label: 'Curvature of the loss: top eigenvalue (HAWQ)', unit: 'eigenvalue · error', cost: 'slowest of the derivatives: an iteration for each layer', about: 'The sharpest bend of the loss in each layer, times the rounding error.' },
  'fisher-output': { label: 'Fisher information of outputs', unit: 'Fisher', cost: 'moderate: one backward pass a window', about: 'Output error, weighted by how much the loss depends on each output.' },
  fisher: { label: 'Fisher information of weights', unit: 'Fisher', cost: 'moderate: one backward pass a window', about: 'Rounding error of each weight, weighted by its squared gradient.' },
  'fisher-rows': { label: 'Fisher information of rows', unit: 'Fisher', cost: 'moderate: one backward pass a window', about: 'The same with one weight for each row: steadier on little data.' },
  taylor: { label: 'First-order change of the loss', unit: 'loss change', cost: 'moderate: one backward pass a window', about: 'The gradient times the rounding error: what a small change does to the loss.' },
  kl: { label: 'Measured KL, layer by layer (slow)', unit: 'KL', cost: 'slowest: one pass of the model for each cell', about: 'Replaces one layer at a time and measures how the predictions change. The slow truth.' },
}
/** Recommended for language models; of a graph the engine says its own. */
export const usualMetric = 'kl-scaled'

export const wordsOf = (metric: string): MetricWords => metrics[metric] ?? { label: metric, unit: metric, cost: '', about: '' }

/** `choice`: as one of all that can be chosen. */
export const roundingWords = {
  guided: { label: 'Guided GPTQ', choice: 'Guided GPTQ (best)', about: 'Each weight’s error is made up for by the weights after it; tokens count by how much the predictions depend on them, which takes one backward pass.' },
  gptq: { label: 'GPTQ', choice: 'GPTQ', about: 'Each weight’s error is made up for by the weights after it.' },
  search: { label: 'Search', choice: 'Search', about: 'The best scale for each group, then the nearest code.' },
  nearest: { label: 'Nearest', choice: 'Nearest (quickest)', about: 'Plain rounding.' },
} as const
