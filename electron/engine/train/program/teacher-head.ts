/** @file The teacher's final norm and head, for terms that turn its last hidden states into probabilities. */
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { DecoderModel } from '../../session/model.ts'
import type { Base } from '../base/base.ts'
import { baseOfCheckpoint } from '../base/base.ts'
import { weightFeeds, type BaseWeight } from '../base/weight.ts'

export interface TeacherHead {
  readonly weight: BaseWeight
  /** Graph inputs under `teacher.`. */
  readonly feeds: Readonly<Record<string, Tensor>>
}

/** Reads the teacher's head; where the student's is the same tensor of the same model, its memory is shared. */
export async function openTeacherHead(teacher: DecoderModel, base: Base, own: BaseWeight): Promise<TeacherHead> {
  const source = baseOfCheckpoint(teacher)
  const isSame = base.model === teacher && base.codec('head') === source.codec('head') && own.weight === 'dense'
  const weight = isSame ? own : await source.weight('head')
  const norms = Object.entries(await teacher.readExtras(null)).filter(([name]) => name.startsWith('final_norm'))
  return {
    weight,
    feeds: {
      ...weightFeeds('teacher.head', weight),
      ...Object.fromEntries(norms.map(([name, data]): [string, Tensor] => [`teacher.${name}`, { type: 'float32', dims: [data.length], data }])),
    },
  }
}
