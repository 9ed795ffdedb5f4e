/**
 * @file KL to the teacher's most likely tokens, with all others as one class of the remaining mass, plus cross-entropy in LREC's
 * proportion. Targets take k tokens a position in place of a hidden state, and no head of the teacher while training.
 */
import { lrec } from './lrec.ts'
import type { ObjectiveMaker } from './objective.ts'

export const kdTopk: ObjectiveMaker = ({ kl = 1, ce = lrec({}).logits.ce ?? 0 }) => ({ logits: { 'kl-top': kl, ce }, state: () => 0, relative: false })
