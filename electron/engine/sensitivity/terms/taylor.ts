/** @file E[Σ |g·Δ|]: the first-order change of the loss with nothing cancelling (AutoRound's AutoScheme). Over-estimates, ranks well. */
import type { Term } from './term.ts'

export const taylor: Term = {
  unit: '|g·Δ|',
  of(gradient, error) {
    let sum = 0
    for (let index = 0; index < gradient.length; index++) sum += Math.abs(gradient[index] * error[index])
    return sum
  },
}
