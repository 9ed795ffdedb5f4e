/**
 * @file RILQ (Lee et al. 2024): half the mean squared error of the last block's output against the teacher's, half cross-entropy.
 * A loss of the whole model lets the branches of different layers work together, so that small ranks suffice.
 */
import type { ObjectiveMaker } from './objective.ts'

export const rilq: ObjectiveMaker = ({ state: weight = 0.5, ce = 0.5 }) => ({ logits: { ce }, state: (block, blocks) => (block === blocks - 1 ? weight : 0), relative: false })
