/** @file The objectives by name. */
import { block } from './block.ts'
import { ce } from './ce.ts'
import { kdTopk } from './kd-topk.ts'
import { lrec } from './lrec.ts'
import { rilq } from './rilq.ts'
import type { ObjectiveMaker } from './objective.ts'

export const objectiveNames = ['lrec', 'rilq', 'block', 'ce', 'kd-topk'] as const
export type ObjectiveName = (typeof objectiveNames)[number]

export const objectives: Readonly<Record<ObjectiveName, ObjectiveMaker>> = { lrec, rilq, block, ce, 'kd-topk': kdTopk }
