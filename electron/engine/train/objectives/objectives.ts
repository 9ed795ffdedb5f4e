/** @file The objectives by name. */
import type { ObjectiveName } from '../../../contract/training.ts'
import { block } from './block.ts'
import { ce } from './ce.ts'
import { kdTopk } from './kd-topk.ts'
import { lrec } from './lrec.ts'
import { rilq } from './rilq.ts'
import type { ObjectiveMaker } from './objective.ts'

export const objectives: Readonly<Record<ObjectiveName, ObjectiveMaker>> = { lrec, rilq, block, ce, 'kd-topk': kdTopk }
