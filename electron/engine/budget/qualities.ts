/** @file Qualities a plan can be asked to keep, each as a loss: smaller is better, whatever the quality itself counts. */
import type { QualityName } from '../../contract/engine.ts'
import type { Evaluation } from '../../contract/report.ts'

export interface Quality {
  /** The loss of an evaluation; NaN where it does not have the quality. */
  readonly loss: (evaluation: Evaluation) => number
  /** A loss in the quality's own words, and back: each is its own inverse. */
  readonly turned: (value: number) => number
}

const itself = (value: number): number => value

export const qualities: Readonly<Record<QualityName, Quality>> = {
  kl: { loss: ({ klMean = NaN }) => klMean, turned: itself },
  ppl: { loss: ({ perplexity = NaN }) => perplexity, turned: itself },
  'ppl-ratio': { loss: ({ perplexity = NaN, perplexityReference = NaN }) => perplexity / perplexityReference, turned: itself },
  'same-top': { loss: ({ sameTop = NaN }) => 1 - sameTop, turned: (value) => 1 - value },
  // Of several outputs the worst.
  sqnr: { loss: ({ outputs = [] }) => (outputs.length === 0 ? NaN : -Math.min(...outputs.map(({ sqnr }) => sqnr))), turned: (value) => -value },
}
