/**
 * @file Where a long text may be cut so that encoding the pieces one by one gives the very tokens of the whole.
 *
 * Two kinds of place: before a single space or line end between two letters or digits ("a| b"), and after a single line end
 * between a sign and a letter or digit ("!\n|b"). A kind is used only if (1) the splitting always divides there, or no token of the
 * vocabulary runs across such a place, so that no merge and no best path does; (2) the normalizer works character by character and
 * the splitting looks at most one character ahead and never behind, so that each side is split as before; (3) samples with
 * letters, digits, signs and scripts on either side agree when encoded both ways. Where a check fails the text is encoded whole.
 */
import { isObject, type JsonObject } from './json.ts'
import type { TokenizerFile } from './tokenizer-file.ts'

export type CutKind = 'before-space' | 'after-line'

/** Characters of a piece: a few milliseconds of work at most. */
export const PIECE_CHARACTERS = 2048

/** What a token that runs across such a place contains (SentencePiece spells a space ▁). */
const crossing: Readonly<Record<CutKind, RegExp>> = {
  'before-space': /[\p{L}\p{N}][ \n▁]/u,
  'after-line': /\n[\p{L}\p{N}]/u,
}

const places: Readonly<Record<CutKind, RegExp>> = {
  'before-space': /(?<=[\p{L}\p{N}])(?=[ \n][\p{L}\p{N}])/gu,
  'after-line': /(?<=[^\s]\n)(?=[\p{L}\p{N}])/gu,
}

/** Normalizers that change each character alone (or what is composed with it). */
const localNormalizers = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'Prepend', 'Replace', 'Sequence']

function isOneCharacter(text: string): boolean {
  return Array.from(text).length === 1
}

function isLocalNormalizer(value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (!isObject(value) || !localNormalizers.includes(String(value.type))) return false
  if (value.type === 'Replace') return isObject(value.pattern) && typeof value.pattern.String === 'string' && isOneCharacter(value.pattern.String)
  return value.type !== 'Sequence' || (Array.isArray(value.normalizers) && value.normalizers.every(isLocalNormalizer))
}

const forwardSplits = ['ByteLevel', 'Metaspace', 'Split', 'Digits', 'Punctuation', 'Sequence']

function looksOnlyAhead(value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (!isObject(value) || !forwardSplits.includes(String(value.type))) return false
  if (value.type === 'Sequence') return Array.isArray(value.pretokenizers) && value.pretokenizers.every(looksOnlyAhead)
  if (value.type !== 'Split') return true
  const { pattern } = value
  if (!isObject(pattern)) return false
  if (typeof pattern.String === 'string') return isOneCharacter(pattern.String)
  // \b, ^, $ and (?<= look behind; a lookahead other than (?!\S) may look far
  return typeof pattern.Regex === 'string' && !/\(\?<[=!]|\(\?=|\\[bBAzZG]|(?<!\[)\^|\$/u.test(pattern.Regex) && !/\(\?!(?!\\S\))/u.test(pattern.Regex)
}

const before = ['one', 'Ünï', '2024', '語', 'x1']
const signs = ['two!', '3)', '“q”', '。', 'a—']
const after = ['and', 'The', '365', 'даже', '語', 's']

function samples(kind: CutKind): [string, string][] {
  if (kind === 'before-space') return before.flatMap((left) => after.flatMap((right) => [[left, ` ${right}`], [left, `\n${right}`]] satisfies [string, string][]))
  return [...before, ...signs].flatMap((left) => after.map((right): [string, string] => [`${left}\n`, right]))
}

export interface Probe {
  /** Encodes text; `continued` is for text that follows other text (no space is put before it). */
  readonly encode: (text: string, continued: boolean) => readonly number[]
  /** The words the text is split into before encoding; null where it is not split. */
  readonly split: (text: string) => readonly string[] | null
  readonly unknown: number | null
  /** Lets the event loop turn where it is due. */
  readonly turn: () => Promise<void>
}

/** The kinds of places at which texts for this tokenizer may be cut. `turn` is awaited between the samples. */
export async function cutKinds(file: TokenizerFile, { encode, split, unknown, turn }: Probe): Promise<CutKind[]> {
  const { json, config } = file
  if (config.remove_space === true || !isLocalNormalizer(json.normalizer) || !looksOnlyAhead(json.pre_tokenizer) || file.kind === 'WordPiece') return []
  if (file.added.some(({ lstrip, content }) => lstrip && /^[\p{L}\p{N}]/u.test(content))) return []
  if (unknown !== null && encode('\n', true).includes(unknown)) return []
  const sameTokens = ([left, right]: [string, string]): boolean => String(encode(left + right, false)) === String([...encode(left, false), ...encode(right, true)])
  const sameWords = ([left, right]: [string, string]): boolean => {
    const words = split(left + right)
    return words !== null && JSON.stringify(words) === JSON.stringify([...(split(left) ?? []), ...(split(right) ?? [])])
  }
  const every = async (kind: CutKind, test: (pair: [string, string]) => boolean): Promise<boolean> => {
    for (const pair of samples(kind)) {
      if (!test(pair)) return false
      await turn()
    }
    return true
  }
  const kinds: CutKind[] = []
  for (const kind of ['before-space', 'after-line'] as const) {
    const across = (token: string | undefined): boolean => token !== undefined && crossing[kind].test(token)
    const divided = (await every(kind, sameWords)) || !file.tokens.some(across)
    if (divided && !file.added.some(({ content }) => across(content)) && (await every(kind, sameTokens))) kinds.push(kind)
  }
  return kinds
}

/** Cuts a text into pieces of about PIECE_CHARACTERS at the places of `kinds`; the pieces joined are the text. */
export function* cutText(text: string, kinds: readonly CutKind[], length = PIECE_CHARACTERS): Generator<string> {
  let start = 0
  while (start < text.length) {
    const end = kinds.length === 0 || text.length - start <= length ? text.length : nextPlace(text, start + length, kinds)
    yield text.slice(start, end)
    start = end
  }
}

function nextPlace(text: string, from: number, kinds: readonly CutKind[]): number {
  const found = kinds.map((kind) => {
    const pattern = new RegExp(places[kind])
    pattern.lastIndex = from
    return pattern.exec(text)?.index ?? text.length
  })
  return Math.min(...found)
}

function prepends(value: unknown): boolean {
  return isObject(value) && (value.type === 'Prepend' || (value.type === 'Metaspace' && value.prepend_scheme !== 'never') || (value.type === 'ByteLevel' && value.add_prefix_space === true))
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (!isObject(value)) return value
  if (!prepends(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, strip(one)]))
  if (value.type === 'Prepend') return { type: 'Sequence', normalizers: [] }
  return value.type === 'Metaspace' ? { ...value, prepend_scheme: 'never' } : { ...value, add_prefix_space: false }
}

/** The tokenizer's description for text that follows other text: nothing is put before it. Null where nothing is put before any text. */
export function withoutPrefix(json: JsonObject): JsonObject | null {
  const sections = { normalizer: json.normalizer, pre_tokenizer: json.pre_tokenizer }
  const stripped = { normalizer: strip(sections.normalizer), pre_tokenizer: strip(sections.pre_tokenizer) }
  return JSON.stringify(stripped) === JSON.stringify(sections) ? null : { ...json, ...stripped }
}
