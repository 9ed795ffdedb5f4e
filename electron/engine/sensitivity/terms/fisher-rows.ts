/**
 * @file ½·Σ_r E[⟨g_r, Δ_r⟩²] over the rows r of a layer: the Fisher information with all of each row's own block, no diagonal taken. What the
 * errors of a row do together counts, as after GPTQ; only errors of different rows are taken as independent (MixLLM's ranking of output
 * features, summed).
 */
import type { Term } from './term.ts'

export const fisherRows: Term = {
  unit: 'KL',
  of(gradient, error, cols, predictions) {
    let sum = 0
    for (let first = 0; first < gradient.length; first += cols) {
      let move = 0
      for (let index = first; index < first + cols; index++) move += gradient[index] * error[index]
      sum += move * move
    }
    return 0.5 * predictions * sum
  },
}
