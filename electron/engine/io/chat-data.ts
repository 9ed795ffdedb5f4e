/**
 * @file Fine-tuning data: JSON lines, CSV, Parquet or text → windows of tokens with a mask of what is learned. Long texts are cut
 * into windows, longer prompts with answers are truncated and counted, doubles are left out, a part is held out by seed. Examples
 * that are to be learned and examples to judge by are never the same.
 */
import { createHash } from 'node:crypto'
import { AppError } from '../../contract/errors.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { exampleOf, type Example } from './chat-data-example.ts'
import { packExamples } from './chat-data-packing.ts'
import type { Row } from './data-rows.ts'
import { findData, readRows } from './data.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface ExampleOptions {
  /** Most tokens of a window. */
  readonly length: number
  readonly seed?: number
  /** Share of the examples that is held out (0 for none), or a data file to judge by. */
  readonly heldOut?: number | string
  readonly signal?: AbortSignal
}

export interface ExampleCounts {
  readonly rows: number
  /** Examples that are used, after doubles; a long text is several. */
  readonly examples: number
  readonly duplicates: number
  /** Examples longer than a window, and the tokens they lost. */
  readonly truncated: number
  readonly truncatedTokens: number
  /** Rows left out because nothing of their answers fits into a window. */
  readonly unusable: number
  /** Tokens of the windows to learn from, and how many of them are learned. */
  readonly tokens: number
  readonly targets: number
}

export interface Examples {
  readonly train: readonly Example[]
  readonly heldOut: readonly Example[]
  readonly counts: ExampleCounts
}

interface Unit extends Example {
  readonly row: number
  readonly key: string
}

interface Gathered {
  readonly units: readonly Unit[]
  readonly counts: Omit<ExampleCounts, 'examples' | 'tokens' | 'targets'>
}

/** Held out where nothing is said: enough of a few hundred examples to see a trend by. */
const HELD_OUT = 0.1
/** Rows named in a message. */
const ROWS_SHOWN = 5

/** Examples are the same where their tokens and what is learned of them are. */
function keyOf({ tokens, mask }: Example): string {
  return createHash('sha256').update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength)).update(mask).digest('base64')
}

function targetsOf({ mask }: Example): number {
  return mask.reduce((sum, learned) => sum + learned, 0)
}

function cut({ tokens, mask }: Example, first: number, last: number): Example {
  const part = { tokens: tokens.slice(first, last), mask: mask.slice(first, last) }
  part.mask[0] = 0
  return part
}

function badRow(row: Row, found: string): AppError {
  return new AppError('bad-data', `${row.file}: row ${row.row}: found ${found}`, { hint: 'Correct or remove the row.', details: { row: row.row } })
}

/** A row's examples; a template's refusal names the row. */
async function examplesOfRow(tokenizer: Tokenizer, row: Row, signal: AbortSignal | undefined): Promise<Example & { kind: 'text' | 'answers' }> {
  try {
    const example = await exampleOf(tokenizer, row, signal)
    if ('reason' in example) throw badRow(row, example.reason)
    return example
  } catch (cause) {
    if (cause instanceof AppError && cause.code === 'bad-data' && cause.details === undefined) throw badRow(row, cause.message)
    throw cause
  }
}

async function gather(source: string, tokenizer: Tokenizer, length: number, signal: AbortSignal | undefined): Promise<Gathered> {
  const units = new Map<string, Unit>()
  const counts = { rows: 0, duplicates: 0, truncated: 0, truncatedTokens: 0, unusable: 0 }
  const add = (example: Example, row: number): void => {
    if (targetsOf(example) === 0) {
      counts.unusable++
      return
    }
    const key = keyOf(example)
    if (units.has(key)) counts.duplicates++
    else units.set(key, { ...example, row, key })
  }
  for await (const row of readRows(await findData(source), signal ? { signal } : {})) {
    counts.rows++
    const example = await examplesOfRow(tokenizer, row, signal)
    const count = example.tokens.length
    if (example.kind === 'text') {
      for (let first = 0; first < count; first += length) if (first === 0 || count - first > 1) add(cut(example, first, first + length), row.row)
      continue
    }
    if (count > length) {
      counts.truncated++
      counts.truncatedTokens += count - length
    }
    add(cut(example, 0, length), row.row)
  }
  if (units.size === 0) {
    const why = counts.unusable > 0 ? ` (of ${counts.unusable} the prompt alone fills the ${length} tokens of a window)` : ''
    throw new AppError('bad-data', `${source}: found no example that can be used in ${counts.rows} rows${why}, expected at least one`, { hint: 'Give rows with "text", "prompt" and "completion", or "messages"; or longer windows (--length).' })
  }
  return { units: [...units.values()], counts }
}

/** The units in an order that depends on the seed alone. */
function shuffled<T>(units: readonly T[], seed: number): T[] {
  const random = createRandom(seed)
  return units.map((unit) => ({ unit, place: random() })).sort((a, b) => a.place - b.place).map(({ unit }) => unit)
}

/** Refuses examples to judge by that are also learned. */
function checkOverlap(source: string, train: readonly Unit[], heldOut: string, judged: readonly Unit[]): void {
  const known = new Set(train.map(({ key }) => key))
  const same = judged.filter(({ key }) => known.has(key))
  if (same.length === 0) return
  const rows = same.slice(0, ROWS_SHOWN).map(({ row }) => row).join(', ')
  throw new AppError('bad-data', `${heldOut}: found ${same.length} of ${judged.length} examples also in ${source} (row ${rows}${same.length > ROWS_SHOWN ? ', …' : ''}), expected none`, { hint: 'A model must not be judged by what it learned: remove them from one of the files.' })
}

async function split(source: string, units: readonly Unit[], tokenizer: Tokenizer, { length, seed = 0, heldOut = HELD_OUT, signal }: ExampleOptions): Promise<{ train: readonly Unit[]; judged: readonly Unit[] }> {
  const order = shuffled(units, seed)
  if (typeof heldOut === 'string') {
    const { units: judged } = await gather(heldOut, tokenizer, length, signal)
    checkOverlap(source, order, heldOut, judged)
    return { train: order, judged }
  }
  if (!(heldOut >= 0 && heldOut < 1)) throw new AppError('bad-request', `held-out share ${heldOut}: expected 0 or more and less than 1`)
  const count = heldOut === 0 ? 0 : Math.max(1, Math.round(units.length * heldOut))
  if (count >= units.length) throw new AppError('bad-data', `${source}: found ${units.length} example${units.length === 1 ? '' : 's'}, expected more: ${count} would be held out and none left to learn from`, { hint: 'Give more examples, a file of its own to judge by, or hold nothing out.' })
  return { train: order.slice(count), judged: order.slice(0, count) }
}

/**
 * Reads fine-tuning data. The same file, tokenizer and options give the same windows.
 * @throws AppError bad-data at the first row that cannot be used, where no row can, and where held-out data is also learned
 */
export async function readExamples(source: string, tokenizer: Tokenizer, options: ExampleOptions): Promise<Examples> {
  const { length, signal } = options
  const { units, counts } = await gather(source, tokenizer, length, signal)
  const { train, judged } = await split(source, units, tokenizer, options)
  const windows = packExamples(train, length)
  return {
    train: windows,
    heldOut: packExamples(judged, length),
    counts: { ...counts, examples: units.length, tokens: windows.reduce((sum, { tokens }) => sum + tokens.length, 0), targets: windows.reduce((sum, window) => sum + targetsOf(window), 0) },
  }
}
