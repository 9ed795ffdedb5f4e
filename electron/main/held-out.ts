/**
 * @file Calibration and evaluation text must not overlap: a score on text the model was calibrated on flatters the result. Texts
 * are compared by their hash, then row by row (long lines of plain text) by the engine, whatever their formats.
 */
import { AppError } from '../contract/errors.ts'
import type { EngineHost } from './engine-host.ts'

/** The share of evaluation rows that may also stand in the calibration text: headings and stock phrases. */
const maxShare = 0.02

export interface Text { readonly path: string; readonly sha256: string }

const hint = 'Choose data that is kept apart, or let Halftone keep a part of the calibration data for evaluation.'

/** Throws AppError 'bad-data' where both are the same data. */
export function refuseEqual(calibration: Text, heldOut: Text): void {
  if (calibration.sha256 === heldOut.sha256) throw new AppError('bad-data', `${heldOut.path}: the same data as the calibration data`, { hint })
}

/** Throws AppError 'bad-data' where the two texts share more than a few rows. */
export async function refuseOverlap(engine: Pick<EngineHost, 'call'>, calibration: Text, heldOut: Text): Promise<void> {
  refuseEqual(calibration, heldOut)
  const { rows, shared } = await engine.call('overlap', { first: calibration.path, second: heldOut.path })
  if (shared > rows * maxShare) {
    throw new AppError('bad-data', `${heldOut.path}: ${String(shared)} of its ${String(rows)} long rows are also in the calibration data; at most ${String(maxShare * 100)} % may be`, { hint })
  }
}
