/** @file Calibration and evaluation text: rows of a file or folder, and windows of tokens chosen from them by seed. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { dataKind, dataKinds, rowReaders, type DataKind, type Row, type RowOptions } from './data-rows.ts'
import { sha256File, sha256Files, throwIfCancelled } from './hash.ts'
import { DATA_FILES_MAX, TOKENS_MAX } from './limits.ts'
import { fileProblem } from './problems.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface DataSource {
  readonly path: string
  readonly kind: DataKind | 'folder'
  readonly files: readonly { readonly path: string; readonly name: string; readonly kind: DataKind }[]
}

export interface TextRow {
  /** Number in its file, from 1. */
  readonly row: number
  readonly text: string
}

const supported = dataKinds.flatMap((kind) => rowReaders[kind].endings).join(', ')

/** The data files behind a path: the file itself, or those of a folder in order of their names. */
export async function findData(source: string): Promise<DataSource> {
  const info = await stat(source).catch((cause: unknown) => {
    throw fileProblem(source, 'opening', cause)
  })
  if (!info.isDirectory()) {
    const kind = dataKind(source)
    if (kind === null) throw new AppError('bad-data', `${source}: found a file ending in "${path.extname(source)}", expected one of ${supported}`, { hint: 'Use a text file, JSON lines, CSV or Parquet.' })
    return { path: source, kind, files: [{ path: source, name: path.basename(source), kind }] }
  }
  const names = (await readdir(source)).sort()
  const files = names.flatMap((name) => {
    const kind = dataKind(name)
    return kind === null ? [] : [{ path: path.join(source, name), name, kind }]
  })
  if (files.length === 0 || files.length > DATA_FILES_MAX) throw new AppError('bad-data', `${source}: found ${files.length} data files, expected 1 to ${DATA_FILES_MAX} (${supported})`, { hint: 'Choose a folder with text, JSON lines, CSV or Parquet files.' })
  return { path: source, kind: 'folder', files }
}

/** Content hash of the data: of the file, or of all data files of the folder. */
export async function hashData(source: DataSource, signal?: AbortSignal): Promise<string> {
  return source.kind === 'folder' ? sha256Files(source.files, signal) : sha256File(source.path, signal)
}

/** Every row, those that cannot be used included. */
export async function* readRows(source: DataSource, options: RowOptions = {}): AsyncGenerator<Row> {
  for (const { path: file, kind } of source.files) {
    for await (const row of rowReaders[kind].read(file, options)) {
      throwIfCancelled(options.signal)
      yield row
    }
  }
}

/**
 * The texts of a data file or folder.
 * @throws AppError bad-data at the first row that has no text
 */
export async function* readTexts(source: string, options: RowOptions = {}): AsyncGenerator<TextRow> {
  for await (const row of readRows(await findData(source), options)) {
    if ('reason' in row) throw new AppError('bad-data', `${row.file}: row ${row.row}: found ${row.reason}`, { hint: 'Correct or remove the row.', details: { row: row.row } })
    yield { row: row.row, text: row.text }
  }
}

export interface WindowOptions {
  /** Tokens of a window. */
  readonly length: number
  /** Windows wanted; all there are where it is missing. */
  readonly samples?: number
  readonly seed?: number
  readonly signal?: AbortSignal
}

export interface Windows {
  readonly windows: readonly Int32Array[]
  /** Place of each window in the text, counted in windows. */
  readonly places: readonly number[]
  /** Tokens of the whole text. */
  readonly tokens: number
}

/** All tokens of the texts one after the other; texts are divided by the end token where there is one. */
async function allTokens(tokenizer: Tokenizer, texts: AsyncIterable<TextRow>, signal: AbortSignal | undefined): Promise<Int32Array> {
  let tokens = new Int32Array(1 << 16)
  let length = 0
  for await (const { text } of texts) {
    const ids = await tokenizer.encode(text, signal)
    const divider = length > 0 && tokenizer.eos !== null ? [tokenizer.eos] : []
    const needed = length + divider.length + ids.length
    if (needed > tokens.length) {
      const larger = new Int32Array(Math.max(needed, tokens.length * 2))
      larger.set(tokens.subarray(0, length))
      tokens = larger
    }
    tokens.set(divider, length)
    tokens.set(ids, length + divider.length)
    length = needed
    if (length >= TOKENS_MAX) break
  }
  return tokens.subarray(0, length)
}

/** `samples` of `count` places: one of each of as many equal stretches, so that they spread over the text. */
export function spreadPlaces(count: number, samples: number, seed: number): number[] {
  if (samples >= count) return Array.from({ length: count }, (_, i) => i)
  const random = createRandom(seed)
  return Array.from({ length: samples }, (_, i) => {
    const first = Math.floor((i * count) / samples)
    const next = Math.floor(((i + 1) * count) / samples)
    return first + Math.floor(random() * (next - first))
  })
}

/**
 * Windows of `length` tokens. The texts are joined and cut end to end as llama.cpp does (the rest that does not fill a window is
 * left out; where the tokenizer begins texts with a token of its own it replaces each window's first), then `samples` of them are
 * chosen by seed, spread over the text and in its order. Of very long data the first TOKENS_MAX tokens are used.
 * @throws AppError bad-data where there is not one whole window
 */
export async function tokenWindows(tokenizer: Tokenizer, texts: AsyncIterable<TextRow>, { length, samples = Infinity, seed = 0, signal }: WindowOptions): Promise<Windows> {
  const tokens = await allTokens(tokenizer, texts, signal)
  const count = Math.floor(tokens.length / length)
  if (count < 1) throw new AppError('bad-data', `The text: found ${tokens.length} tokens, expected at least ${length} (one window)`, { hint: 'Use a longer text or a shorter window (--length).' })
  const places = spreadPlaces(count, samples, seed)
  const windows = places.map((place) => {
    const window = tokens.slice(place * length, (place + 1) * length)
    if (tokenizer.addsBos && tokenizer.bos !== null) window[0] = tokenizer.bos
    return window
  })
  return { windows, places, tokens: tokens.length }
}
