/**
 * @file Calibration and evaluation text must not overlap: a score on text the model was calibrated on flatters the result.
 * Files are compared by their hash, then by the hashes of their long lines.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { AppError } from '../contract/errors.ts'

/** Shorter lines (headings, "Yes.") may well stand in both. */
const minLineLength = 40
/** The share of long evaluation lines that may also stand in the calibration text. */
const maxShare = 0.02
/** Enough lines to judge by; a larger file is compared by its beginning. */
const maxLines = 500_000

async function longLines(file: string): Promise<Set<string>> {
  const hashes = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (line.length >= minLineLength) hashes.add(createHash('sha256').update(line.trim()).digest('base64').slice(0, 16))
    if (hashes.size >= maxLines) break
  }
  return hashes
}

/** Throws AppError 'bad-data' where the two texts share more than a few lines. */
export async function refuseOverlap(calibration: { path: string; sha256: string }, heldOut: { path: string; sha256: string }): Promise<void> {
  const hint = 'Choose a text that is kept apart, or let Halftone keep a part of the calibration data for evaluation.'
  if (calibration.sha256 === heldOut.sha256) throw new AppError('bad-data', `${heldOut.path}: the same text as the calibration data`, { hint })
  const [known, lines] = [await longLines(calibration.path), await longLines(heldOut.path)]
  const shared = [...lines].filter((line) => known.has(line)).length
  if (shared > lines.size * maxShare) {
    throw new AppError('bad-data', `${heldOut.path}: ${String(shared)} of its ${String(lines.size)} long lines are also in the calibration data; at most ${String(maxShare * 100)} % may be`, { hint })
  }
}
