/** @file Cross-entropy of the next token: fine-tuning on data, without a teacher. */
import type { ObjectiveMaker } from './objective.ts'

export const ce: ObjectiveMaker = ({ ce: weight = 1 }) => ({ logits: { ce: weight }, state: () => 0, relative: false })
