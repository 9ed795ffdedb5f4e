/** @file The table of learned roundings, which move the codes of a whole block after its layers were rounded one by one. */
import type { LearnedRoundingName } from '../../../contract/recipe.ts'
import type { LearnedRounding } from './learner.ts'
import { pvTune } from './pv.ts'
import { signRound } from './signround.ts'

export const learnedRoundings = { signround: (problem) => signRound(problem), pv: (problem) => pvTune(problem) } satisfies Record<LearnedRoundingName, LearnedRounding>
