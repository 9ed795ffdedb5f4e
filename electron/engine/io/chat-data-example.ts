/**
 * @file One record of fine-tuning data as tokens with a mask of what is to be learned: everything of a plain text, the completion of
 * a prompt, the assistant's turns of a conversation. Spans are found by tokenizing the text up to their ends: tokens that the whole
 * and its beginning share lie before the end, so a token that crosses a border counts to what comes after it.
 */
import { chatText, type Message } from './chat.ts'
import { readMessages, type Row } from './data-rows.ts'
import type { JsonObject } from './json.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface Example {
  readonly tokens: Int32Array
  /** 1 where a token is to be learned, by what stands before it; the first never is. */
  readonly mask: Uint8Array
}

/** Text in pieces; those with `isAnswer` are learned. */
interface Piece {
  readonly text: string
  readonly isAnswer: boolean
}

export type RowExample = (Example & { readonly kind: 'text' | 'answers' }) | { readonly reason: string }

/** The assistant's turns: what the template writes after the prompt for each of them, its end mark included. */
function conversation(tokenizer: Tokenizer, messages: readonly Message[]): readonly Piece[] | { reason: string } {
  const pieces: Piece[] = []
  let written = ''
  for (const [at, { role }] of messages.entries()) {
    if (role !== 'assistant') continue
    const before = chatText(tokenizer, messages.slice(0, at), true)
    const after = chatText(tokenizer, messages.slice(0, at + 1))
    if (!before.startsWith(written) || !after.startsWith(before)) {
      return { reason: 'messages which the chat template writes differently as the conversation grows: the answers cannot be told from the rest' }
    }
    pieces.push({ text: before.slice(written.length), isAnswer: false }, { text: after.slice(before.length), isAnswer: true })
    written = after
  }
  return pieces.length === 0 ? { reason: 'messages without one of the role "assistant"' } : pieces
}

function piecesOf(tokenizer: Tokenizer, text: string, record: JsonObject | undefined): { pieces: readonly Piece[]; kind: 'text' | 'answers' } | { reason: string } {
  if (record === undefined || typeof record.text === 'string') return { pieces: [{ text, isAnswer: true }], kind: 'text' }
  const messages = readMessages(record.messages)
  if (messages !== null) {
    const pieces = conversation(tokenizer, messages)
    return 'reason' in pieces ? pieces : { pieces, kind: 'answers' }
  }
  const { prompt, completion } = record
  if (typeof prompt !== 'string' || typeof completion !== 'string' || completion === '') return { reason: 'an empty completion' }
  return { pieces: [{ text: prompt, isAnswer: false }, { text: completion, isAnswer: true }], kind: 'answers' }
}

function shared(a: Int32Array, b: Int32Array): number {
  let count = 0
  while (count < a.length && count < b.length && a[count] === b[count]) count++
  return count
}

/** Tokens of the pieces as one text, and which of them are answers. */
async function tokenize(tokenizer: Tokenizer, pieces: readonly Piece[], signal: AbortSignal | undefined): Promise<{ tokens: Int32Array; mask: Uint8Array }> {
  const tokens = await tokenizer.encode(pieces.map(({ text }) => text).join(''), signal)
  const mask = new Uint8Array(tokens.length)
  let text = ''
  let first = 0
  for (const [at, piece] of pieces.entries()) {
    text += piece.text
    const end = at === pieces.length - 1 ? tokens.length : shared(await tokenizer.encode(text, signal), tokens)
    if (piece.isAnswer) mask.fill(1, first, end)
    first = end
  }
  return { tokens, mask }
}

function framed({ tokens, mask }: Example, before: readonly number[], after: readonly number[]): Example {
  const all = Int32Array.from([...before, ...tokens, ...after])
  const learned = new Uint8Array(all.length)
  learned.set(mask, before.length)
  learned.fill(1, before.length + tokens.length)
  learned[0] = 0
  return { tokens: all, mask: learned }
}

/**
 * A row as an example. Texts begin with the model's first token where it has one and end with its end token; conversations are
 * written by the chat template alone where there is one.
 * @throws AppError bad-tokenizer, bad-data where the chat template cannot be used or refuses the messages
 */
export async function exampleOf(tokenizer: Tokenizer, row: Row, signal?: AbortSignal): Promise<RowExample> {
  if ('reason' in row) return row
  const found = piecesOf(tokenizer, row.text, row.record)
  if ('reason' in found) return found
  const tokenized = await tokenize(tokenizer, found.pieces, signal)
  const isTemplated = tokenizer.chatTemplate !== null && row.record?.messages !== undefined && typeof row.record.text !== 'string'
  const { bos, eos, addsBos } = tokenizer
  const example = isTemplated ? framed(tokenized, [], []) : framed(tokenized, addsBos && bos !== null ? [bos] : [], eos === null ? [] : [eos])
  return { ...example, kind: found.kind }
}
