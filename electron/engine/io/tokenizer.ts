/**
 * @file A model's tokenizer: text to ids and back, from tokenizer.json or from the metadata of a GGUF file. Long texts are
 * encoded piece by piece with turns of the event loop between (text-cuts.ts says why the tokens are the same).
 */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { AppError } from '../../contract/errors.ts'
import { openCheckpoint } from './open.ts'
import { throwIfCancelled } from './hash.ts'
import { readJson, readJsonIfPresent, type JsonObject } from './json.ts'
import { TEMPLATE_BYTES_MAX, TOKENIZER_BYTES_MAX } from './limits.ts'
import { cutKinds, cutText, PIECE_CHARACTERS, withoutPrefix, type CutKind } from './text-cuts.ts'
import { checkTokenizer, specialToken, type TokenizerFile } from './tokenizer-file.ts'
import { tokenizerFromGguf } from './tokenizer-gguf.ts'
import { tokenBytes } from './token-bytes.ts'

export interface Tokenizer {
  /** What it was made from: exports write it again. */
  readonly file: TokenizerFile
  /** One more than the highest id. */
  readonly vocabulary: number
  readonly bos: number | null
  readonly eos: number | null
  /** Texts begin with `bos` when the model is used as its makers meant. */
  readonly addsBos: boolean
  /** Ids that the tokenizer's own template puts before and after a text (`[CLS]`, `[SEP]`); none for most language models. */
  around(): readonly [before: readonly number[], after: readonly number[]]
  /** The Jinja template of conversations, or null. */
  readonly chatTemplate: string | null
  /** Ids of a text; special tokens written in it are recognised, none is added. */
  encode(text: string, signal?: AbortSignal): Promise<Int32Array>
  decode(ids: ArrayLike<number>): string
  /** The text each id stands for alone: parts of a character show as U+FFFD. */
  pieces(ids: ArrayLike<number>): string[]
  idOf(token: string): number | null
}

/** Time after which encoding lets the event loop turn; a piece more takes a few milliseconds. */
const TURN_MS = 8

function createLibrary(file: TokenizerFile, json: JsonObject): Library {
  try {
    return new Library(json, { ...file.config })
  } catch (cause) {
    throw new AppError('bad-tokenizer', `${file.where}: found a tokenizer that cannot be used (${cause instanceof Error ? cause.message : String(cause)}), expected one of the kinds that tokenizer.json describes`, {
      hint: 'Use the tokenizer.json that came with the model.',
      cause,
    })
  }
}

function joinIds(parts: readonly (readonly number[])[]): Int32Array {
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    ids.set(part, at)
    at += part.length
  }
  return ids
}

/** A tokenizer of checked files. */
export function createTokenizer(file: TokenizerFile): Tokenizer {
  const { config, where } = file
  const first = createLibrary(file, file.json)
  let continued: Library | undefined // for text that follows other text; most tokenizers need no second one
  const libraryFor = (isContinued: boolean): Library => {
    if (!isContinued) return first
    const json = continued ? null : withoutPrefix(file.json)
    return (continued ??= json === null ? first : createLibrary(file, json))
  }
  const ids = new Map(file.tokens.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])))
  const idOf = (token: string | null): number | null => (token === null ? null : (ids.get(token) ?? null))
  const bos = idOf(specialToken(config, 'bos_token'))
  const unknown = idOf(specialToken(config, 'unk_token'))

  function encodePiece(text: string, isContinued: boolean): readonly number[] {
    const found = libraryFor(isContinued).encode(text, { add_special_tokens: false }).ids
    if (found.every((id) => Number.isInteger(id))) return found
    throw new AppError('bad-tokenizer', `${where}: found no token for a part of the text ${JSON.stringify(text.slice(0, 60))}, expected a vocabulary that covers every text`, { hint: 'The vocabulary is incomplete: use the tokenizer files that came with the model.' })
  }
  let turned = performance.now() // of the event loop, over all calls: many short texts must not hold it up either
  async function turn(): Promise<void> {
    if (performance.now() - turned <= TURN_MS) return
    await setImmediate()
    turned = performance.now()
  }
  const split = (text: string): readonly string[] | null => libraryFor(true).pre_tokenizer?.pre_tokenize(text, { section_index: 0 }) ?? null
  let kinds: Promise<CutKind[]> | undefined // found when the first long text comes

  return {
    file,
    vocabulary: file.tokens.length,
    bos,
    eos: idOf(specialToken(config, 'eos_token')),
    addsBos: bos !== null && first.encode('a', { add_special_tokens: true }).ids[0] === bos,
    around() {
      const bare = first.encode('a', { add_special_tokens: false }).ids
      const full = first.encode('a', { add_special_tokens: true }).ids
      const start = full.findIndex((_, at) => bare.every((id, offset) => full[at + offset] === id))
      return start < 0 ? [[], []] : [full.slice(0, start), full.slice(start + bare.length)]
    },
    chatTemplate: typeof config.chat_template === 'string' ? config.chat_template : null,
    async encode(text, signal) {
      const parts: (readonly number[])[] = []
      if (text.length > PIECE_CHARACTERS) kinds ??= cutKinds(file, { encode: encodePiece, split, unknown, turn })
      for (const piece of cutText(text, (await kinds) ?? [])) {
        throwIfCancelled(signal)
        await turn()
        parts.push(encodePiece(piece, parts.length > 0))
      }
      return joinIds(parts)
    },
    decode(list) {
      return list.length === 0 ? '' : first.decode(Array.from(list), { clean_up_tokenization_spaces: config.clean_up_tokenization_spaces === true })
    },
    pieces(list) {
      const decoder = new TextDecoder()
      return Array.from(list, (id) => decoder.decode(tokenBytes(file, id)))
    },
    idOf,
  }
}

/** Special tokens that only config.json names, by id. */
function withSpecialIds(file: TokenizerFile, modelConfig: JsonObject): TokenizerFile {
  const named = (['bos', 'eos'] as const).flatMap((name) => {
    const id = modelConfig[`${name}_token_id`]
    const first: unknown = Array.isArray(id) ? id[0] : id
    const token = typeof first === 'number' ? file.tokens[first] : undefined
    return token === undefined || specialToken(file.config, `${name}_token`) !== null ? [] : [[`${name}_token`, token] as const]
  })
  return { ...file, config: { ...file.config, ...Object.fromEntries(named) } }
}

/** The template in a file of its own, as newer models have it; an empty record where there is none. */
async function readTemplate(folder: string): Promise<JsonObject> {
  const file = path.join(folder, 'chat_template.jinja')
  const info = await stat(file).catch(() => null)
  return info?.isFile() === true && info.size <= TEMPLATE_BYTES_MAX ? { chat_template: await readFile(file, 'utf8') } : {}
}

/** Reads the tokenizer of a Hugging Face folder. */
async function openFolder(folder: string): Promise<TokenizerFile> {
  const file = path.join(folder, 'tokenizer.json')
  if (!(await stat(file).catch(() => null))?.isFile()) {
    throw new AppError('bad-tokenizer', `${folder}: found no tokenizer.json, expected the tokenizer beside the weights`, { hint: 'Download tokenizer.json and tokenizer_config.json of this model into the folder.' })
  }
  const config = { ...(await readTemplate(folder)), ...(await readJsonIfPresent(path.join(folder, 'tokenizer_config.json'))) }
  const modelConfig = (await readJsonIfPresent(path.join(folder, 'config.json'))) ?? {}
  return withSpecialIds(checkTokenizer(file, await readJson(file, TOKENIZER_BYTES_MAX), config), modelConfig)
}

/**
 * Opens the tokenizer of a model: a folder, a file in one, or a GGUF file.
 * @throws AppError bad-tokenizer, file-missing, file-malformed
 */
export async function openTokenizer(source: string): Promise<Tokenizer> {
  const info = await stat(source).catch(() => null)
  if (info?.isFile() === true && !/\.(json|safetensors|onnx)$/i.test(source)) {
    const checkpoint = await openCheckpoint(source)
    await checkpoint.close()
    return createTokenizer(tokenizerFromGguf(source, checkpoint.metadata))
  }
  const file = await openFolder(info?.isFile() === true ? path.dirname(source) : source)
  await setImmediate() // parsing and building are one long step each
  return createTokenizer(file)
}

/** Refuses a tokenizer that has ids the model has no embedding for. */
export function checkVocabulary(tokenizer: Tokenizer, embeddings: number): void {
  if (tokenizer.vocabulary <= embeddings) return
  throw new AppError('bad-tokenizer', `${tokenizer.file.where}: found ${tokenizer.vocabulary} tokens, expected at most the model's ${embeddings} embeddings`, {
    hint: 'The tokenizer is of another model: use the files that came with the weights.',
  })
}
