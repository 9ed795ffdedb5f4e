/** @file tokenizer.json and tokenizer_config.json, checked before the tokenizer library gets them. */
import { AppError } from '../../contract/errors.ts'
import { isObject, type JsonObject } from './json.ts'
import { MERGES_MAX, PATTERN_LENGTH_MAX, VOCABULARY_MAX } from './limits.ts'

export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
  readonly lstrip: boolean
}

export interface TokenizerFile {
  /** Where it came from, for errors. */
  readonly where: string
  /** tokenizer.json, with the sections that may be missing filled in. */
  readonly json: JsonObject
  /** tokenizer_config.json, or what stands for it. */
  readonly config: JsonObject
  readonly model: JsonObject
  readonly kind: 'BPE' | 'Unigram' | 'WordPiece'
  /** Token by id; holes are undefined. */
  readonly tokens: readonly (string | undefined)[]
  readonly added: readonly AddedToken[]
}

function bad(where: string, found: string, expected: string): AppError {
  return new AppError('bad-tokenizer', `${where}: found ${found}, expected ${expected}`, { hint: "Use the tokenizer files that came with the model; they must not be edited or mixed with another model's." })
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < VOCABULARY_MAX
}

function readPairs(where: string, vocabulary: unknown): [string, number][] {
  if (Array.isArray(vocabulary)) {
    return vocabulary.map((entry: unknown, id) => {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number') throw bad(`${where}: model.vocab entry ${id}`, JSON.stringify(entry), 'a token and its score')
      return [entry[0], id]
    })
  }
  if (!isObject(vocabulary)) throw bad(`${where}: model.vocab`, typeof vocabulary, 'a table of tokens')
  return Object.entries(vocabulary).map(([token, id]) => {
    if (!isId(id)) throw bad(`${where}: model.vocab "${token}"`, JSON.stringify(id), `an id below ${VOCABULARY_MAX}`)
    return [token, id]
  })
}

function readAdded(where: string, list: unknown): AddedToken[] {
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) throw bad(`${where}: added_tokens`, typeof list, 'a list')
  return list.map((entry: unknown) => {
    if (!isObject(entry) || !isId(entry.id) || typeof entry.content !== 'string') throw bad(`${where}: added_tokens`, JSON.stringify(entry), 'entries with an id and a content')
    return { id: entry.id, content: entry.content, special: entry.special === true, lstrip: entry.lstrip === true }
  })
}

function checkMerges(where: string, merges: unknown): void {
  if (!Array.isArray(merges) || merges.length > MERGES_MAX) throw bad(`${where}: model.merges`, Array.isArray(merges) ? `${merges.length} merges` : typeof merges, `a list of at most ${MERGES_MAX}`)
  const isPair = (merge: unknown): boolean => (typeof merge === 'string' ? merge.includes(' ') : Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === 'string'))
  const wrong = merges.findIndex((merge) => !isPair(merge))
  if (wrong >= 0) throw bad(`${where}: model.merges entry ${wrong}`, JSON.stringify(merges[wrong]), 'two tokens')
}

/** Every pattern in the splitting and normalizing sections, for the limit on their length. */
function patterns(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(patterns)
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([name, inner]) => ((name === 'Regex' || name === 'String') && typeof inner === 'string' ? [inner] : patterns(inner)))
}

/** Fills in what files of older versions leave out: Metaspace's scheme follows from add_prefix_space. */
function withScheme(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withScheme)
  if (!isObject(value)) return value
  const inner = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withScheme(one)]))
  return inner.type === 'Metaspace' && inner.prepend_scheme === undefined ? { ...inner, prepend_scheme: inner.add_prefix_space === false ? 'never' : 'always' } : inner
}

const kinds = ['BPE', 'Unigram', 'WordPiece'] as const

/** Checks the contents of a tokenizer. */
export function checkTokenizer(where: string, contents: JsonObject, config: JsonObject): TokenizerFile {
  const { model } = contents
  if (!isObject(model)) throw bad(where, 'no "model"', 'a tokenizer')
  const kind = kinds.find((name) => name === model.type) ?? (Array.isArray(model.vocab) ? 'Unigram' : Array.isArray(model.merges) ? 'BPE' : undefined)
  if (kind === undefined) throw bad(`${where}: model.type`, JSON.stringify(model.type), `one of ${kinds.join(', ')}`)
  const pairs = readPairs(where, model.vocab)
  if (pairs.length === 0 || pairs.length > VOCABULARY_MAX) throw bad(`${where}: model.vocab`, `${pairs.length} tokens`, `1 to ${VOCABULARY_MAX}`)
  const added = readAdded(where, contents.added_tokens)
  if (kind === 'BPE') checkMerges(where, model.merges)
  for (const section of ['normalizer', 'pre_tokenizer', 'decoder'] as const) {
    const long = patterns(contents[section]).find((pattern) => pattern.length > PATTERN_LENGTH_MAX)
    if (long !== undefined) throw bad(`${where}: ${section}`, `a pattern of ${long.length} characters`, `at most ${PATTERN_LENGTH_MAX}`)
  }
  const tokens: (string | undefined)[] = []
  for (const [token, id] of pairs) {
    if (tokens[id] !== undefined) throw bad(`${where}: model.vocab "${token}"`, `the id ${id} of "${tokens[id]}"`, 'each id once')
    tokens[id] = token
  }
  for (const { id, content } of added) tokens[id] = content
  const json = { normalizer: null, post_processor: null, decoder: null, ...contents, pre_tokenizer: withScheme(contents.pre_tokenizer ?? null), added_tokens: contents.added_tokens ?? [] }
  return { where, json, config, model, kind, tokens: Array.from(tokens), added }
}

/** Text of a special token named in tokenizer_config.json (`bos_token` and so on), or null. */
export function specialToken(config: JsonObject, key: string): string | null {
  const value = config[key]
  if (typeof value === 'string') return value
  return isObject(value) && typeof value.content === 'string' ? value.content : null
}
