/**
 * @file LREC (INT2.1, Chai et al. 2023): KL(teacher ‖ student) at the logits plus cross-entropy. The paper sums KL over the 2048
 * positions of a window and takes the mean of the cross-entropy, weighted 1 : 120 for 2-bit models; over token means that is
 * 1 : 120 / 2048.
 */
import type { ObjectiveMaker } from './objective.ts'

/** Positions of the paper's windows. */
const PAPER_LENGTH = 2048
const PAPER_CE_WEIGHT = 120

export const lrec: ObjectiveMaker = ({ kl = 1, ce = PAPER_CE_WEIGHT / PAPER_LENGTH }) => ({ logits: { kl, ce }, state: () => 0, relative: false })
