/**
 * @file A tokenizer from the key-values of a GGUF file. Byte-level BPE ("gpt2") has its merges and the name of its splitting;
 * SentencePiece ("llama") has scores, from which the merges follow: of all pairs that make a token, better scores first.
 */
import { AppError } from '../../contract/errors.ts'
import type { JsonObject } from './json.ts'
import { VOCABULARY_MAX } from './limits.ts'
import { preTokenizerOf } from './pre-tokenizers.ts'
import { checkTokenizer, type TokenizerFile } from './tokenizer-file.ts'

/** llama.cpp's kinds of tokens (`tokenizer.ggml.token_type`). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

interface Vocabulary {
  readonly where: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly tokens: readonly string[]
  readonly types: ArrayLike<number>
}

function bad(where: string, found: string, expected: string): AppError {
  return new AppError('bad-tokenizer', `${where}: found ${found}, expected ${expected}`, { hint: 'Convert the model again with a current llama.cpp, or use its Hugging Face folder.' })
}

function isNumberArray(value: unknown): value is ArrayLike<number> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView)
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function readVocabulary(where: string, metadata: Readonly<Record<string, unknown>>): Vocabulary {
  const tokens = metadata['tokenizer.ggml.tokens']
  if (!isTextList(tokens) || tokens.length === 0 || tokens.length > VOCABULARY_MAX) throw bad(`${where}: tokenizer.ggml.tokens`, isTextList(tokens) ? `${tokens.length} tokens` : 'no list of texts', 'the vocabulary')
  const types = metadata['tokenizer.ggml.token_type'] ?? new Int32Array(tokens.length).fill(tokenTypes.normal)
  if (!isNumberArray(types) || types.length !== tokens.length) throw bad(`${where}: tokenizer.ggml.token_type`, isNumberArray(types) ? `${types.length} types` : 'no list of numbers', `${tokens.length} types`)
  return { where, metadata, tokens, types }
}

/** Text of a token outside the model's merges: SentencePiece spells its spaces ▁. */
function addedTokens({ tokens, types }: Vocabulary, spell: (token: string) => string): JsonObject[] {
  return tokens.flatMap((token, id) => {
    const isControl = types[id] === tokenTypes.control || types[id] === tokenTypes.unknown
    if (!isControl && types[id] !== tokenTypes.userDefined) return []
    return [{ id, content: isControl ? token : spell(token), special: isControl, normalized: false, lstrip: false, rstrip: false, single_word: false }]
  })
}

/** Token → id; doubles (padding of some vocabularies) get names of their own, so that ids stay in place. */
function vocabularyTable({ tokens }: Vocabulary): Record<string, number> {
  const table = new Map<string, number>()
  tokens.forEach((token, id) => table.set(table.has(token) ? `${token}<double ${id}>` : token, id))
  return Object.fromEntries(table)
}

function config({ metadata, tokens }: Vocabulary): JsonObject {
  const token = (name: string): string | null => {
    const id = metadata[`tokenizer.ggml.${name}_token_id`]
    return typeof id === 'number' ? (tokens[id] ?? null) : null
  }
  const template = metadata['tokenizer.chat_template']
  return { bos_token: token('bos'), eos_token: token('eos'), unk_token: token('unknown'), ...(typeof template === 'string' && { chat_template: template }), clean_up_tokenization_spaces: false }
}

/** Puts the begin token first where the file asks for it; `fallback` is llama.cpp's default of the kind. */
function postProcessor({ metadata, tokens }: Vocabulary, fallback: boolean): JsonObject | null {
  const id = metadata['tokenizer.ggml.bos_token_id']
  const token = typeof id === 'number' ? tokens[id] : undefined
  if (token === undefined || !(metadata['tokenizer.ggml.add_bos_token'] ?? fallback)) return null
  const first = { SpecialToken: { id: token, type_id: 0 } }
  return {
    type: 'TemplateProcessing',
    single: [first, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [first, { Sequence: { id: 'A', type_id: 0 } }, first, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  }
}

function byteLevelBpe(vocabulary: Vocabulary): JsonObject {
  const { where, metadata } = vocabulary
  const merges = metadata['tokenizer.ggml.merges']
  if (!isTextList(merges)) throw bad(`${where}: tokenizer.ggml.merges`, 'no list of texts', 'the merges of a BPE vocabulary')
  const name = metadata['tokenizer.ggml.pre']
  if (typeof name !== 'string') throw bad(`${where}: tokenizer.ggml.pre`, 'nothing', 'the name of the splitting')
  const splitting = preTokenizerOf(where, name)
  return {
    version: '1.0',
    normalizer: null,
    pre_tokenizer: splitting.json,
    post_processor: postProcessor(vocabulary, splitting.ignoresMerges),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    added_tokens: addedTokens(vocabulary, (token) => token),
    model: { type: 'BPE', vocab: vocabularyTable(vocabulary), merges, ignore_merges: splitting.ignoresMerges, unk_token: null, byte_fallback: false, fuse_unk: false },
  }
}

/** Merges of a SentencePiece BPE vocabulary: every split of a token into two tokens, by falling score, then by the ids of the parts. */
export function mergesFromScores(tokens: readonly string[], scores: ArrayLike<number>, types: ArrayLike<number>): [string, string][] {
  const alone: readonly (number | undefined)[] = [tokenTypes.control, tokenTypes.unknown, tokenTypes.byte]
  const ids = new Map(tokens.flatMap((token, id) => (alone.includes(types[id]) ? [] : [[token, id] as const])))
  const merges: { left: number; right: number; score: number }[] = []
  for (const [token, id] of ids) {
    const splits: { left: number; right: number; score: number }[] = []
    for (let at = 1; at < token.length; at++) {
      const left = ids.get(token.slice(0, at))
      const right = left === undefined ? undefined : ids.get(token.slice(at))
      if (left !== undefined && right !== undefined) splits.push({ left, right, score: scores[id] ?? 0 })
    }
    merges.push(...splits.sort((a, b) => a.left - b.left || a.right - b.right))
  }
  return merges.sort((a, b) => b.score - a.score).map(({ left, right }) => [tokens[left] ?? '', tokens[right] ?? ''])
}

function sentencePiece(vocabulary: Vocabulary): JsonObject {
  const { where, metadata, tokens, types } = vocabulary
  const scores = metadata['tokenizer.ggml.scores']
  if (!isNumberArray(scores) || scores.length !== tokens.length) throw bad(`${where}: tokenizer.ggml.scores`, isNumberArray(scores) ? `${scores.length} scores` : 'no list of numbers', `${tokens.length} scores`)
  const prefix = metadata['tokenizer.ggml.add_space_prefix'] !== false
  const unknown = metadata['tokenizer.ggml.unknown_token_id']
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }
  return {
    version: '1.0',
    normalizer: prefix ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] } : spaces,
    pre_tokenizer: null,
    post_processor: postProcessor(vocabulary, true),
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, ...(prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : [])],
    },
    added_tokens: addedTokens(vocabulary, (token) => token.replaceAll('▁', ' ')),
    model: {
      type: 'BPE',
      vocab: vocabularyTable(vocabulary),
      merges: mergesFromScores(tokens, scores, types),
      unk_token: typeof unknown === 'number' ? (tokens[unknown] ?? null) : (tokens[0] ?? null),
      byte_fallback: true,
      fuse_unk: true,
      ignore_merges: false,
    },
  }
}

/** Kinds of tokenizers in GGUF files (`tokenizer.ggml.model`). */
const readers: Readonly<Record<string, (vocabulary: Vocabulary) => JsonObject>> = { gpt2: byteLevelBpe, llama: sentencePiece }

/** The tokenizer that the key-values of a GGUF file describe. */
export function tokenizerFromGguf(where: string, metadata: Readonly<Record<string, unknown>>): TokenizerFile {
  const model = metadata['tokenizer.ggml.model']
  if (typeof model !== 'string') throw bad(`${where}: tokenizer.ggml.model`, 'nothing', 'a tokenizer in the file')
  const reader = Object.hasOwn(readers, model) ? readers[model] : undefined
  if (!reader) throw bad(`${where}: tokenizer.ggml.model`, `"${model}"`, `one of ${Object.keys(readers).join(', ')}`)
  const vocabulary = readVocabulary(where, metadata)
  return checkTokenizer(where, reader(vocabulary), config(vocabulary))
}
