/**
 * @file Rows of data files: plain text (a file is one row), JSON lines, CSV, Parquet. A row that gives no text comes with the reason;
 * a file that cannot be read at all is an error.
 */
import path from 'node:path'
import { Readable } from 'node:stream'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer } from 'hyparquet'
import papaparse from 'papaparse'
import { AppError } from '../../contract/errors.ts'
import { openBytes } from './byte-file.ts'
import { chatText, type Message } from './chat.ts'
import { throwIfCancelled } from './hash.ts'
import { isObject, type JsonObject } from './json.ts'
import { ROW_BYTES_MAX, TEXT_BYTES_MAX } from './limits.ts'
import type { Tokenizer } from './tokenizer.ts'
import { readUtf8 } from './utf8.ts'

/** A row's number in its file (from 1), and its text (with the record it is of, where there is one) or why it has none. */
export type Row = { readonly file: string; readonly row: number; readonly text: string; readonly record?: JsonObject } | { readonly file: string; readonly row: number; readonly reason: string }
export type RowText = { readonly text: string } | { readonly reason: string }

export interface RowOptions {
  readonly signal?: AbortSignal
  /** Whose chat template makes text of `messages`; without one their contents are joined. */
  readonly tokenizer?: Tokenizer
}

function bad(where: string, found: string, expected: string, hint: string): AppError {
  return new AppError('bad-data', `${where}: found ${found}, expected ${expected}`, { hint })
}

/** Messages of a conversation, or null where it is anything else. */
export function readMessages(value: unknown): Message[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const messages = value.flatMap((one: unknown) => (isObject(one) && typeof one.role === 'string' && typeof one.content === 'string' ? [{ role: one.role, content: one.content }] : []))
  return messages.length === value.length ? messages : null
}

/** The fields that may hold a row's text, in order of preference. */
export const textFields = ['text', 'messages', 'prompt and completion'] as const

/** The text of a record: `text`, `messages` through the chat template, or `prompt` and `completion` together. */
export function textOf(record: JsonObject, tokenizer: Tokenizer | undefined): RowText {
  const { text, messages, prompt, completion } = record
  if (typeof text === 'string') return text === '' ? { reason: 'field "text" is empty' } : { text }
  if (text !== undefined && text !== null) return { reason: `field "text" is ${Array.isArray(text) ? 'a list' : `a ${typeof text}`}, expected a string` }
  if (messages !== undefined && messages !== null) {
    const list = readMessages(messages)
    if (list === null) return { reason: 'field "messages" is not a list of { role, content } strings' }
    try {
      return { text: tokenizer ? chatText(tokenizer, list) : list.map(({ content }) => content).join('\n') }
    } catch (cause) {
      if (cause instanceof AppError && cause.code === 'bad-data') return { reason: cause.message }
      throw cause
    }
  }
  if (typeof prompt === 'string' && typeof completion === 'string') return prompt + completion === '' ? { reason: 'fields "prompt" and "completion" are empty' } : { text: prompt + completion }
  return { reason: `no field ${textFields.map((name) => `"${name}"`).join(', ')} (found ${Object.keys(record).slice(0, 6).join(', ') || 'none'})` }
}

async function* plainText(file: string, { signal }: RowOptions): AsyncGenerator<Row> {
  const pieces: string[] = []
  let length = 0
  for await (const piece of readUtf8(file, signal)) {
    length += piece.length
    if (length > TEXT_BYTES_MAX) throw bad(file, `more than ${TEXT_BYTES_MAX} characters`, 'a shorter text', 'Split the file, or use a part of it: calibration needs a few megabytes at most.')
    pieces.push(piece)
  }
  if (length === 0) throw bad(file, 'an empty file', 'text', 'Choose a file with text.')
  yield { file, row: 1, text: pieces.join('') }
}

async function* lines(file: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of readUtf8(file, signal)) {
    const parts = (rest + piece).split('\n')
    rest = parts.pop() ?? ''
    yield* parts
    if (rest.length > ROW_BYTES_MAX) throw bad(file, `a line of more than ${ROW_BYTES_MAX} characters`, 'one JSON object a line', 'Write one object a line (JSON lines), not one large array.')
  }
  if (rest !== '') yield rest
}

async function* jsonLines(file: string, options: RowOptions): AsyncGenerator<Row> {
  let row = 0
  for await (const line of lines(file, options.signal)) {
    row++
    if (line.trim() === '') continue
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (cause) {
      yield { file, row, reason: `not JSON: ${cause instanceof Error ? cause.message : String(cause)}` }
      continue
    }
    yield { file, row, ...(isObject(value) ? { record: value, ...textOf(value, options.tokenizer) } : { reason: `${Array.isArray(value) ? 'a list' : typeof value}, expected a JSON object` }) }
  }
}

async function* csv(file: string, options: RowOptions): AsyncGenerator<Row> {
  const parser = papaparse.parse(papaparse.NODE_STREAM_INPUT, { header: true, skipEmptyLines: 'greedy' })
  const source = Readable.from(readUtf8(file, options.signal), { objectMode: true })
  source.on('error', (cause) => parser.destroy(cause))
  let row = 0
  const records: AsyncIterable<unknown> = source.pipe(parser)
  for await (const record of records) {
    row++
    if (!isObject(record)) yield { file, row, reason: 'not a record' }
    else {
      const keys = Object.keys(record).filter((key) => key !== '__parsed_extra')
      const [only] = keys
      const named = keys.length === 1 && only !== undefined ? { text: record[only] } : record
      yield { file, row, record: named, ...textOf(named, options.tokenizer) }
    }
  }
}

/** Compressions that hyparquet leaves to others, each limited in what it may give. */
const compressors = {
  GZIP: (input: Uint8Array, length: number) => new Uint8Array(gunzipSync(input, { maxOutputLength: length })),
  ZSTD: (input: Uint8Array, length: number) => new Uint8Array(zstdDecompressSync(input, { maxOutputLength: length })),
  BROTLI: (input: Uint8Array, length: number) => new Uint8Array(brotliDecompressSync(input, { maxOutputLength: length })),
}

/** Rows read from a Parquet file at once. */
const PARQUET_ROWS = 1000

async function* parquet(file: string, options: RowOptions): AsyncGenerator<Row> {
  const bytes = await openBytes(file)
  const buffer: AsyncBuffer = {
    byteLength: bytes.sizeBytes,
    slice: async (start, end = bytes.sizeBytes) => Uint8Array.from(await bytes.read(start, end - start, 'a column')).buffer,
  }
  try {
    const metadata = await parquetMetadataAsync(buffer)
    const present = metadata.schema.map(({ name }) => name)
    const columns = ['text', 'messages', 'prompt', 'completion'].filter((name) => present.includes(name))
    if (columns.length === 0) throw bad(file, `columns ${present.slice(1, 7).join(', ')}`, `one of ${textFields.join(', ')}`, 'Rename the column that holds the text to "text".')
    const count = Number(metadata.num_rows)
    for (let first = 0; first < count; first += PARQUET_ROWS) {
      throwIfCancelled(options.signal)
      const records: unknown[] = await parquetReadObjects({ file: buffer, metadata, columns, rowStart: first, rowEnd: Math.min(first + PARQUET_ROWS, count), compressors })
      for (const [i, record] of records.entries()) yield { file, row: first + i + 1, ...(isObject(record) ? { record, ...textOf(record, options.tokenizer) } : { reason: 'not a record' }) }
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw new AppError('bad-data', `${file}: found a Parquet file that cannot be read (${cause instanceof Error ? cause.message : String(cause)}), expected a valid one`, { hint: 'Write the file again, or use JSON lines.', cause })
  } finally {
    await bytes.close()
  }
}

export const dataKinds = ['text', 'jsonl', 'csv', 'parquet'] as const
export type DataKind = (typeof dataKinds)[number]

/** How each kind is read, and the endings of its files. */
export const rowReaders: Readonly<Record<DataKind, { readonly endings: readonly string[]; readonly read: (file: string, options: RowOptions) => AsyncGenerator<Row> }>> = {
  text: { endings: ['.txt', '.text', '.md'], read: plainText },
  jsonl: { endings: ['.jsonl', '.ndjson'], read: jsonLines },
  csv: { endings: ['.csv', '.tsv'], read: csv },
  parquet: { endings: ['.parquet'], read: parquet },
}

/** The kind of a file by its ending, or null. */
export function dataKind(file: string): DataKind | null {
  const ending = path.extname(file).toLowerCase()
  return dataKinds.find((kind) => rowReaders[kind].endings.includes(ending)) ?? null
}
