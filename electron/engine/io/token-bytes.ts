/** @file The bytes a token stands for, by the three spellings in use: byte-level BPE's letters, SentencePiece's ▁ and <0xNN>, plain text. */
import { isObject, type JsonObject } from './json.ts'
import type { TokenizerFile } from './tokenizer-file.ts'

/** GPT-2's letters for bytes: printable ones stand for themselves, the other 68 for U+0100 and following, in order. */
function isPrintable(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
}
const hidden = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !isPrintable(byte))

/** The byte of a letter of byte-level BPE, or undefined. */
export function byteOfLetter(letter: string): number | undefined {
  const code = letter.codePointAt(0) ?? -1
  return code < 256 ? (isPrintable(code) ? code : undefined) : hidden[code - 256]
}

function mentions(section: unknown, type: string): boolean {
  if (Array.isArray(section)) return section.some((one) => mentions(one, type))
  return isObject(section) && (section.type === type || Object.values(section).some((one) => mentions(one, type)))
}

/** Whether tokens are spelled in byte-level BPE's letters. */
export function isByteLevel(json: JsonObject): boolean {
  return mentions(json.decoder, 'ByteLevel') || mentions(json.pre_tokenizer, 'ByteLevel')
}

/** Whether spaces are spelled ▁. */
export function isSentencePiece(json: JsonObject): boolean {
  return !isByteLevel(json) && (JSON.stringify([json.normalizer, json.pre_tokenizer, json.decoder]).includes('▁') || mentions([json.pre_tokenizer, json.decoder], 'Metaspace'))
}

/** The bytes that an id stands for; none for an id without a token. */
export function tokenBytes(file: TokenizerFile, id: number): Uint8Array {
  const token = file.tokens[id] ?? ''
  if (file.added.some((added) => added.id === id)) return Buffer.from(token)
  if (isByteLevel(file.json)) return Uint8Array.from(Array.from(token).flatMap((letter) => byteOfLetter(letter) ?? [...Buffer.from(letter)]))
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1]
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16))
  return Buffer.from(isSentencePiece(file.json) ? token.replaceAll('▁', ' ') : token)
}
