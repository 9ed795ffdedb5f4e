/** @file Calibration windows of a model from a text: tokenized, chosen by seed, and kept apart from the windows it is judged on. */
import { createHash } from 'node:crypto'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { readTexts, spreadPlaces, tokenWindows } from '../io/data.ts'
import { checkVocabulary, openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import type { DecoderModel } from '../session/model.ts'

export interface Calibration {
  readonly tokenizer: Tokenizer
  readonly windows: readonly Int32Array[]
  /** Of the windows, in order. */
  readonly sha256: string
  readonly warnings: readonly string[]
}

export interface CalibrationOptions {
  readonly samples: number
  readonly length: number
  readonly seed: number
}

/** The model's tokenizer, checked against its embedding. */
export async function openModelTokenizer(model: DecoderModel): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(model.path)
  checkVocabulary(tokenizer, model.spec.vocabulary)
  return tokenizer
}

function windowsHash(windows: readonly Int32Array[]): string {
  const hash = createHash('sha256')
  for (const window of windows) hash.update(new Uint8Array(window.buffer, window.byteOffset, window.byteLength))
  return hash.digest('hex')
}

/** Opens the model's tokenizer and cuts `data` into windows. */
export async function openCalibration(model: DecoderModel, data: string, options: CalibrationOptions, { signal }: Pick<Context, 'signal'>): Promise<Calibration> {
  const tokenizer = await openModelTokenizer(model)
  const { windows } = await tokenWindows(tokenizer, readTexts(data), { ...options, signal })
  const tokens = windows.length * options.length
  const widest = Math.max(...model.layers.map(({ shape: [, cols] }) => cols))
  const warnings = [
    ...(windows.length < options.samples ? [`${data}: gives ${windows.length} windows of ${options.length} tokens, ${options.samples} were asked for`] : []),
    ...(tokens < widest ? [`${tokens} calibration tokens are fewer than the ${widest} inputs of the widest layer: statistics are damped; give more text`] : []),
  ]
  return { tokenizer, windows, sha256: windowsHash(windows), warnings }
}

/** All windows of `data`, and places of those to evaluate on: `most` that the calibration did not take, spread over the text. */
async function evaluationPlaces(tokenizer: Tokenizer, data: string, { length, ...rest }: CalibrationOptions, most: number, { signal }: Pick<Context, 'signal'>): Promise<{ windows: readonly Int32Array[]; places: readonly number[] }> {
  const used = new Set((await tokenWindows(tokenizer, readTexts(data), { length, ...rest, signal })).places)
  const { windows, places } = await tokenWindows(tokenizer, readTexts(data), { length, signal })
  const free = places.filter((place) => !used.has(place))
  const step = Math.max(1, free.length / most)
  return { windows, places: Array.from({ length: Math.min(most, free.length) }, (_, index) => free[Math.floor(index * step)] ?? 0) }
}

/** Windows evaluated where no text is given: with 256 scored positions each, about 8,000 tokens. */
export const EVALUATION_WINDOWS = 32

/** Windows of `data` that the calibration did not take, spread over the text. */
export async function heldOutWindows(tokenizer: Tokenizer, data: string, options: CalibrationOptions, context: Pick<Context, 'signal'>): Promise<readonly Int32Array[]> {
  const { windows, places } = await evaluationPlaces(tokenizer, data, options, EVALUATION_WINDOWS, context)
  if (places.length === 0) {
    throw new AppError('bad-data', `${data}: found ${windows.length} windows of ${options.length} tokens, all of them used for calibration; expected some left to evaluate on`, {
      hint: 'Give a text to evaluate on with --text, or calibrate on fewer windows with --samples.',
    })
  }
  return places.map((place) => windows[place] ?? new Int32Array())
}

/** Windows of at most `length` tokens to train on: of all the recipe's data but what `heldOutWindows` gives, at most `most`, spread over the text. */
export async function trainingWindows(tokenizer: Tokenizer, { data, seed }: Pick<Recipe, 'data' | 'seed'>, { length, most }: { length: number; most: number }, context: Pick<Context, 'signal'>): Promise<readonly Int32Array[]> {
  if (data === null) return []
  const { windows, places } = await evaluationPlaces(tokenizer, data.path, { ...data, seed }, EVALUATION_WINDOWS, context)
  const judged = new Set(places)
  const cut = windows.flatMap((window, place) => (judged.has(place) ? [] : Array.from({ length: Math.max(1, Math.floor(window.length / length)) }, (_, part) => window.slice(part * length, (part + 1) * length))))
  return spreadPlaces(cut.length, most, seed).map((place) => cut[place] ?? new Int32Array())
}
