/**
 * @file ½·Σ F·Δ² with F = E[g²], the diagonal of the empirical Fisher information per prediction (LQ-LoRA, §3.2; SqueezeLLM, §4.1). Errors of
 * different weights are taken as independent, which those of GPTQ are not.
 */
import type { Term } from './term.ts'

export const fisher: Term = {
  unit: 'Fisher',
  of(gradient, error, _cols, predictions) {
    let sum = 0
    for (let index = 0; index < gradient.length; index++) {
      const move = gradient[index] * error[index]
      sum += move * move
    }
    return 0.5 * predictions * sum
  },
}
