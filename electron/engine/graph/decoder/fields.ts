/**
 * @file Typed access to config.json and GGUF metadata. Both are hostile records of unknown values: a getter checks kind and
 * range, and says file, key, what was found and what was expected. null counts as missing, as in config.json it does.
 */
import { AppError } from '../../../contract/errors.ts'

export interface Fields {
  readonly where: string
  has(key: string): boolean
  /** The key is there and null: "none", where a missing key means the family's default. */
  isNull(key: string): boolean
  /** A whole number from 1 to `max` (default COUNT_MAX). */
  count(key: string, options?: { fallback?: number; max?: number }): number
  number(key: string, fallback?: number): number
  flag(key: string, fallback: boolean): boolean
  text(key: string, fallback?: string): string
  /** The value of a table by the name stored; other names are refused with the table's own. */
  choice<T>(key: string, table: Readonly<Record<string, T>>, fallback?: string): T
  numbers(key: string): readonly number[] | null
  list(key: string): readonly unknown[] | null
  /** The value as it is, for refusals; undefined where it is missing. */
  raw(key: string): unknown
  /** A nested record, or null where it is missing. */
  nested(key: string): Fields | null
}

/** Widths, vocabularies, contexts: the largest published context is 10 million positions. */
export const COUNT_MAX = 1 << 27
/** Blocks: the deepest published decoders have about 130. */
export const BLOCKS_MAX = 1024

/** A plain record, or null. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return null
  return Object.fromEntries(Object.entries(value))
}

function asNumber(value: unknown): unknown {
  return typeof value === 'bigint' && value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? typeof value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** Getters over `record`; every key is looked up as `prefix` + key. */
export function readFields(record: Readonly<Record<string, unknown>>, where: string, prefix = ''): Fields {
  const value = (key: string): unknown => (Object.hasOwn(record, prefix + key) ? asNumber(record[prefix + key]) : undefined) ?? undefined
  const fail = (key: string, expected: string): never => {
    const found = value(key)
    throw new AppError('file-malformed', `${where}: ${prefix}${key}: found ${show(found)}, expected ${expected}`, {
      hint: 'The model description is not one of a supported model, or is damaged; compare it with the original model.',
      details: { where, key: prefix + key },
    })
  }
  const list = (key: string): readonly unknown[] | null => {
    const found = value(key)
    if (found === undefined) return null
    if (Array.isArray(found)) return found.map(asNumber)
    if (ArrayBuffer.isView(found)) return Object.values<unknown>({ ...found }).map(asNumber)
    return fail(key, 'a list')
  }
  return {
    where,
    has: (key) => value(key) !== undefined,
    isNull: (key) => Object.hasOwn(record, prefix + key) && record[prefix + key] === null,
    count(key, { fallback, max = COUNT_MAX } = {}) {
      const found = value(key) ?? fallback
      return typeof found === 'number' && Number.isSafeInteger(found) && found >= 1 && found <= max ? found : fail(key, `a whole number from 1 to ${max}`)
    },
    number(key, fallback) {
      const found = value(key) ?? fallback
      return typeof found === 'number' && Number.isFinite(found) ? found : fail(key, 'a number')
    },
    flag(key, fallback) {
      const found = value(key) ?? fallback
      return typeof found === 'boolean' ? found : fail(key, 'true or false')
    },
    text(key, fallback) {
      const found = value(key) ?? fallback
      return typeof found === 'string' ? found : fail(key, 'a text')
    },
    choice(key, table, fallback) {
      const found = value(key) ?? fallback
      const chosen = typeof found === 'string' && Object.hasOwn(table, found) ? table[found] : undefined
      return chosen ?? fail(key, `one of ${Object.keys(table).join(', ')}`)
    },
    numbers(key) {
      const found = list(key)
      return found === null ? null : found.every((one) => typeof one === 'number' && Number.isFinite(one)) ? found.map(Number) : fail(key, 'a list of numbers')
    },
    list,
    raw: value,
    nested(key) {
      const found = value(key)
      if (found === undefined) return null
      const inner = asRecord(found)
      return inner === null ? fail(key, 'an object') : readFields(inner, `${where}: ${key}`)
    },
  }
}
