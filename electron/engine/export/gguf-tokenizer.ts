/** @file A tokenizer as GGUF key-values: byte-level BPE as "gpt2" with its merges, SentencePiece as "llama" with scores. */
import { AppError } from '../../contract/errors.ts'
import type { GgufEntries, GgufEntry } from '../io/gguf-writer.ts'
import { preTokenizerName } from '../io/pre-tokenizers.ts'
import { withoutPrefix } from '../io/text-cuts.ts'
import { isByteLevel, isSentencePiece } from '../io/token-bytes.ts'
import { tokenTypes } from '../io/tokenizer-gguf.ts'
import type { Tokenizer } from '../io/tokenizer.ts'

const text = (value: string): GgufEntry => ({ type: 'string', value })
const texts = (value: readonly string[]): GgufEntry => ({ type: 'array', of: 'string', value })

/** Tokens by id up to the embedding's rows (holes and padding get names of their own), and llama.cpp's kind of each. */
function vocabulary({ file }: Tokenizer, rows: number): { tokens: string[]; types: Int32Array } {
  const unknown = file.tokens.indexOf(typeof file.model.unk_token === 'string' ? file.model.unk_token : undefined)
  const types = new Int32Array(rows)
  const tokens = Array.from({ length: rows }, (_, id) => {
    const token = file.tokens[id]
    const byte = isSentencePiece(file.json) && token !== undefined && /^<0x[0-9A-F]{2}>$/.test(token)
    types[id] = token === undefined ? tokenTypes.unused : byte ? tokenTypes.byte : tokenTypes.normal
    return token ?? `[PAD${id}]`
  })
  for (const { id, special } of file.added) types[id] = special ? tokenTypes.control : tokenTypes.userDefined
  if (unknown >= 0 && isSentencePiece(file.json)) types[unknown] = tokenTypes.unknown
  return { tokens, types }
}

/** Merges as "left right", however tokenizer.json spells them. */
function mergesOf(model: Readonly<Record<string, unknown>>): string[] {
  const merges: unknown[] = Array.isArray(model.merges) ? model.merges : []
  return merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)))
}

/** SentencePiece scores: tokenizer.json keeps their order as that of the merges. Tokens that no merge makes are the best, as in its vocabularies. */
function scoresOf(tokens: readonly string[], merges: readonly string[]): Float32Array {
  const ranks = new Map<string, number>()
  for (const [rank, merge] of merges.entries()) {
    const token = merge.replace(' ', '')
    if (!ranks.has(token)) ranks.set(token, rank)
  }
  return Float32Array.from(tokens, (token) => -1 - (ranks.get(token) ?? -1))
}

/**
 * The tokenizer's key-values for an embedding of `rows` rows.
 * @throws AppError bad-tokenizer for kinds that llama.cpp has no name for
 */
export function tokenizerEntries(tokenizer: Tokenizer, rows: number): GgufEntries {
  const { file, bos, eos, addsBos, chatTemplate } = tokenizer
  const { tokens, types } = vocabulary(tokenizer, rows)
  const byteLevel = isByteLevel(file.json)
  if (file.kind !== 'BPE' || (!byteLevel && !isSentencePiece(file.json))) {
    throw new AppError('bad-tokenizer', `${file.where}: found a ${file.kind} tokenizer, expected byte-level BPE or SentencePiece BPE`, { hint: 'GGUF cannot hold this tokenizer; choose the ONNX or safetensors target.' })
  }
  const unknown = typeof file.model.unk_token === 'string' ? file.tokens.indexOf(file.model.unk_token) : -1
  const padding = typeof file.config.pad_token === 'string' ? file.tokens.indexOf(file.config.pad_token) : -1
  const ids = { bos: bos ?? -1, eos: eos ?? -1, unknown, padding }
  return {
    'tokenizer.ggml.model': text(byteLevel ? 'gpt2' : 'llama'),
    'tokenizer.ggml.pre': text(byteLevel ? preTokenizerName(file.where, file.json.pre_tokenizer, file.model.ignore_merges === true) : 'default'),
    'tokenizer.ggml.tokens': texts(tokens),
    ...(!byteLevel && {
      'tokenizer.ggml.scores': { type: 'array', of: 'f32', value: scoresOf(tokens, mergesOf(file.model)) },
      'tokenizer.ggml.add_space_prefix': { type: 'bool', value: withoutPrefix(file.json) !== null },
    }),
    'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: types },
    ...(byteLevel && { 'tokenizer.ggml.merges': texts(mergesOf(file.model)) }),
    ...Object.fromEntries(Object.entries(ids).filter(([, id]) => id >= 0).map(([name, value]) => [`tokenizer.ggml.${name}_token_id`, { type: 'u32', value }])),
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: addsBos },
    ...(chatTemplate !== null && { 'tokenizer.chat_template': text(chatTemplate) }),
  }
}
