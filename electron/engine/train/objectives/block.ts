/** @file Mean over the blocks of the squared error of their outputs against the teacher's, each relative to the teacher's mean square: needs no logits. */
import type { ObjectiveMaker } from './objective.ts'

export const block: ObjectiveMaker = ({ state: weight = 1 }) => ({ logits: {}, state: (_, blocks) => weight / blocks, relative: true })
