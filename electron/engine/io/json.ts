/** @file JSON of unknown origin: size, nesting and UTF-8 are checked before parsing; the result is `unknown` until it is looked at. */
import { stat, readFile } from 'node:fs/promises'
import { JSON_BYTES_MAX, JSON_DEPTH_MAX } from './limits.ts'
import { fileProblem, malformed } from './problems.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Deepest nesting of a JSON text, and the keys of the outermost object as they are written, doubles included. */
export function outline(text: string): { depth: number; keys: readonly string[] } {
  const keys: string[] = []
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      const start = i
      for (i++; i < text.length && text.charCodeAt(i) !== QUOTE; i++) if (text.charCodeAt(i) === BACKSLASH) i++
      if (depth !== 1) continue
      let next = i + 1
      while (next < text.length && text.charCodeAt(next) <= 0x20) next++
      if (text[next] === ':') keys.push(text.slice(start, i + 1))
    } else if (code === 0x7b || code === 0x5b) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (code === 0x7d || code === 0x5d) depth--
  }
  return { depth: deepest, keys }
}

/** Parses JSON bytes; the outermost value must be an object. */
export function parseJson(bytes: Uint8Array, where: string): JsonObject {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw malformed(where, 'bytes that are not UTF-8', 'JSON text in UTF-8')
  }
  if (outline(text).depth > JSON_DEPTH_MAX) throw malformed(where, `more than ${JSON_DEPTH_MAX} levels of nesting`, 'plain JSON')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw malformed(where, cause instanceof Error ? cause.message : 'invalid JSON', 'valid JSON')
  }
  if (!isObject(value)) throw malformed(where, Array.isArray(value) ? 'an array' : String(value), 'a JSON object')
  return value
}

/** Reads and parses a JSON file of at most `limit` bytes. */
export async function readJson(path: string, limit = JSON_BYTES_MAX): Promise<JsonObject> {
  try {
    const { size } = await stat(path)
    if (size > limit) throw malformed(path, `${size} bytes`, `at most ${limit} bytes`)
    return parseJson(await readFile(path), path)
  } catch (cause) {
    throw fileProblem(path, 'reading', cause)
  }
}

/** The same, or null where there is no such file. */
export async function readJsonIfPresent(path: string, limit = JSON_BYTES_MAX): Promise<JsonObject | null> {
  const found = await stat(path).catch(() => null)
  return found ? readJson(path, limit) : null
}
