/**
 * @file The table of closed-form corrections: the metric M in which BA is nearest to the rounding error Δ, tr((Δ−BA)·M·(Δ−BA)ᵀ).
 * eora: M = XᵀX + λI, the layer's output error (EoRA 2024). diagonal: M = diag(E[x²]), activation-scaled (LQER, NNCF). svd: M = I,
 * blind to the inputs (LoRC, LoftQ's start). lq-lora: eora with rows weighted by the Fisher information of their outputs, alternating
 * with rounding W − BA (LQ-LoRA 2023).
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { Recipe } from '../../contract/recipe.ts'
import type { CorrectionInputs } from './inputs.ts'

/** M·x for x [in, count]; inputs are null where nothing is known of them. */
export type Weighting = (x: Float32Array, count: number, inputs: CorrectionInputs) => Promise<Float32Array>

export interface Correction {
  /** Null: M = I. */
  readonly weigh: Weighting | null
  /** Most times that W − BA is rounded again and BA fitted to what is left. */
  readonly alternations: number
  /** Whether outputs count by their Fisher information. */
  readonly fisher: boolean
}

const eora: Weighting = async (x, count, inputs) => {
  const { cols, damping } = inputs
  const out = new Float32Array(x.length)
  await kernels().matmul(await inputs.hessian(), x, cols, count, cols, false, false, out)
  for (let at = 0; at < out.length; at++) out[at] += damping * x[at]
  return out
}

const diagonal: Weighting = (x, count, inputs) => Promise.resolve(x.map((value, at) => value * (inputs.diagonal[Math.floor(at / count)] + inputs.damping)))

/** LQ-LoRA's error falls for a few rounds, then wanders. */
const ROUNDS = 8

const closedForms = {
  eora: { weigh: eora, alternations: 0, fisher: false },
  diagonal: { weigh: diagonal, alternations: 0, fisher: false },
  svd: { weigh: null, alternations: 0, fisher: false },
  'lq-lora': { weigh: eora, alternations: ROUNDS, fisher: true },
} as const satisfies Record<string, Correction>
export type ClosedForm = keyof typeof closedForms

/** How the branches of a recipe begin: trained ones from EoRA's; null where a correction has none. */
const starts = {
  none: null, scales: null, codes: null, eora: closedForms.eora, diagonal: closedForms.diagonal, svd: closedForms.svd, 'lq-lora': closedForms['lq-lora'], lrec: closedForms.eora, rilq: closedForms.eora,
} as const satisfies Record<Recipe['correction'], Correction | null>

/** The closed form that a recipe's branches are fitted by. */
export function correctionOf(name: Recipe['correction']): Correction | null {
  return starts[name]
}
