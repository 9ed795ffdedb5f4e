/** @file Calibration windows of a model from a text: tokenized, chosen by seed, and kept apart from the windows it is judged on. */
import type { Context } from '../../contract/events.ts'
import { readTexts, tokenWindows } from '../io/data.ts'
import { checkVocabulary, openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import type { DecoderModel } from '../session/model.ts'

export interface Calibration {
  readonly tokenizer: Tokenizer
  readonly windows: readonly Int32Array[]
  readonly warnings: readonly string[]
}

export interface CalibrationOptions {
  readonly samples: number
  readonly length: number
  readonly seed: number
}

/** Opens the model's tokenizer and cuts `data` into windows. */
export async function openCalibration(model: DecoderModel, data: string, options: CalibrationOptions, context: Context): Promise<Calibration> {
  const tokenizer = await openTokenizer(model.path)
  checkVocabulary(tokenizer, model.spec.vocabulary)
  const { windows } = await tokenWindows(tokenizer, readTexts(data), { ...options, signal: context.signal })
  const tokens = windows.length * options.length
  const widest = Math.max(...model.layers.map(({ shape: [, cols] }) => cols))
  const warnings = [
    ...(windows.length < options.samples ? [`${data}: gives ${windows.length} windows of ${options.length} tokens, ${options.samples} were asked for`] : []),
    ...(tokens < widest ? [`${tokens} calibration tokens are fewer than the ${widest} inputs of the widest layer: statistics are damped; give more text`] : []),
  ]
  return { tokenizer, windows, warnings }
}
