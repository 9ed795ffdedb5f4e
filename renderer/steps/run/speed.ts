/** @file How fast a run goes: megabytes of finished weights a second while it quantizes, tokens a second while it trains. Pure. */
import type { Stage } from '../../../electron/contract/events.ts'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { usualTraining } from '../../../electron/contract/usual-training.ts'
import { bytes, digits } from '../../state/format.ts'
import type { Live, Piece } from '../../state/live.ts'
import { meanPace, paces } from '../../state/pace.ts'

export interface Speed {
  readonly stage: Stage
  readonly title: string
  readonly unit: string
  /** A value in words. */
  readonly say: (value: number) => string
  /** What one number is of, and what is counted. */
  readonly piece: string
  readonly of: string
  readonly names: readonly string[]
  readonly values: readonly number[]
  readonly mean: number
}

/** `scale` makes the amounts of pieces into the unit's. */
function speed(words: Pick<Speed, 'stage' | 'title' | 'unit' | 'say' | 'piece' | 'of'>, pieces: readonly Piece[], scale: number): Speed[] {
  if (pieces.length === 0) return []
  return [{ ...words, names: pieces.map(({ name }) => name), values: paces(pieces).map((value) => value * scale), mean: meanPace(pieces) * scale }]
}

/** The speeds known of a run, in the order of its stages. */
export function speedsOf({ request }: Pick<JobRecord, 'request'>, { stored, trained }: Pick<Live, 'stored' | 'trained'>): Speed[] {
  if (request.kind !== 'run') return []
  const { batch, length } = { ...usualTraining, ...request.recipe.training }
  return [
    ...speed({ stage: 'quantize', title: 'Speed of quantizing', unit: 'MB/s', say: (value) => `${bytes(value * 1e6)}/s`, piece: 'Layer', of: 'in bytes of finished weights' }, stored, 1e-6),
    ...speed({ stage: 'train', title: 'Speed of training', unit: 'tokens/s', say: (value) => `${digits(value)} tokens/s`, piece: 'Step', of: `${String(batch * length)} tokens a step` }, trained, batch * length),
  ]
}

/** The speed of the stage that runs, in words; nothing where none is known. */
export function speedNow(job: Pick<JobRecord, 'request' | 'stage' | 'state'>, live: Pick<Live, 'stored' | 'trained'>): string {
  const now = job.state === 'running' ? speedsOf(job, live).find(({ stage }) => stage === job.stage) : undefined
  return now === undefined ? '' : now.say(now.values.at(-1) ?? 0)
}
