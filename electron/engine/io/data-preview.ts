/** @file What a data set looks like to a model before it is used: rows, tokens, lengths, doubles, rows that cannot be used; and how much two data sets share. */
import { createHash } from 'node:crypto'
import type { DataPreview } from '../../contract/engine.ts'
import type { Row, RowOptions } from './data-rows.ts'
import { findData, hashData, readRows, type DataSource } from './data.ts'
import type { Tokenizer } from './tokenizer.ts'

/** Unusable rows listed, and rows shown. */
const BAD_SHOWN = 100
const SAMPLES_SHOWN = 8
const SAMPLE_TOKENS = 128
/** Bucket bounds double from here. */
const FIRST_BUCKET = 16

interface Counted {
  readonly row: Row
  /** Part of the text that windows are cut from. */
  readonly isText: boolean
  /** A row as a person counts them: a line of a plain text, a row of other files. */
  readonly isRow: boolean
}

async function* countedRows(source: DataSource, options: RowOptions): AsyncGenerator<Counted> {
  const plain = new Set(source.files.filter(({ kind }) => kind === 'text').map(({ path }) => path))
  for await (const row of readRows(source, options)) {
    const isLines = plain.has(row.file) && 'text' in row
    yield { row, isText: 'text' in row, isRow: !isLines }
    if (!isLines) continue
    for (const [i, line] of row.text.split('\n').entries()) if (line.trim() !== '') yield { row: { file: row.file, row: i + 1, text: line.trim() }, isText: false, isRow: true }
  }
}

/** Hash of a row: texts that differ only in the space around them are one. */
function rowHash(text: string): string {
  return createHash('sha256').update(text.trim()).digest('base64').slice(0, 22)
}

function histogram(lengths: readonly number[]): DataPreview['lengths'] {
  const buckets: { upTo: number; count: number }[] = []
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0)
  for (let upTo = FIRST_BUCKET; buckets.length === 0 || upTo / 2 < longest; upTo *= 2) {
    buckets.push({ upTo, count: lengths.filter((length) => length <= upTo && (length > upTo / 2 || upTo === FIRST_BUCKET)).length })
  }
  return buckets
}

/**
 * Reads all of a data set and tells what a model will see of it. Plain texts are counted by their lines.
 * @throws AppError bad-data, file-missing, cancelled
 */
export async function previewData(path: string, tokenizer: Tokenizer, length: number, signal?: AbortSignal): Promise<DataPreview> {
  const source = await findData(path)
  const seen = new Set<string>()
  const bad: DataPreview['bad'] = []
  const samples: DataPreview['samples'] = []
  const lengths: number[] = []
  let rows = 0
  let tokens = 0
  let texts = 0
  let duplicates = 0
  for await (const { row, isText, isRow } of countedRows(source, { tokenizer, ...(signal && { signal }) })) {
    if (isRow) rows++
    if ('reason' in row) {
      if (bad.length < BAD_SHOWN) bad.push({ row: row.row, reason: source.files.length > 1 ? `${row.file}: ${row.reason}` : row.reason })
      continue
    }
    const ids = await tokenizer.encode(row.text, signal)
    if (isText) {
      const divided = texts++ > 0 && tokenizer.eos !== null
      tokens += ids.length + Number(divided)
    }
    if (!isRow) continue
    lengths.push(ids.length)
    const hash = rowHash(row.text)
    if (seen.has(hash)) duplicates++
    seen.add(hash)
    if (samples.length < SAMPLES_SHOWN) samples.push({ tokens: Array.from(ids.subarray(0, SAMPLE_TOKENS)), pieces: tokenizer.pieces(ids.subarray(0, SAMPLE_TOKENS)) })
  }
  return { path, kind: source.kind, sha256: await hashData(source, signal), rows, tokens, windows: Math.floor(tokens / length), duplicates, bad, samples, lengths: histogram(lengths) }
}

/** Shorter lines ("Chapter 1", "}") repeat by chance and say nothing about an overlap. */
const OVERLAP_CHARACTERS_MIN = 30

async function overlapHashes(path: string, signal: AbortSignal | undefined): Promise<Set<string>> {
  const hashes = new Set<string>()
  for await (const { row, isRow } of countedRows(await findData(path), signal ? { signal } : {})) {
    if (isRow && 'text' in row && row.text.trim().length >= OVERLAP_CHARACTERS_MIN) hashes.add(rowHash(row.text))
  }
  return hashes
}

/** How many rows (lines of plain texts) of the second data set are also in the first: a model must not be judged on what it was calibrated with. */
export async function dataOverlap(first: string, second: string, signal?: AbortSignal): Promise<{ readonly rows: number; readonly shared: number }> {
  const known = await overlapHashes(first, signal)
  const rows = await overlapHashes(second, signal)
  return { rows: rows.size, shared: [...rows].filter((hash) => known.has(hash)).length }
}
