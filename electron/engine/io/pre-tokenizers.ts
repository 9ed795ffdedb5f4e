/**
 * @file How text is split before byte-level BPE: tokenizer.json spells the patterns out, GGUF names them (`tokenizer.ggml.pre`,
 * the names of llama.cpp). One table serves both ways.
 */
import { AppError } from '../../contract/errors.ts'
import { isObject, type JsonObject } from './json.ts'

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
const byteLevelWords = { ...byteLevel, use_regex: true }

function split(pattern: string): JsonObject {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
}

function sequence(...pretokenizers: readonly JsonObject[]): JsonObject {
  return { type: 'Sequence', pretokenizers }
}

/** The common frame of the patterns since GPT-4: contractions, words with one leading sign, numbers, signs, line ends, spaces. */
function words(contractions: string, word: string, number: string, tail = '[\\r\\n]*'): string {
  return `${contractions}${word}|${number}| ?[^\\s\\p{L}\\p{N}]+${tail}|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
}
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+'
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
function casedWord(suffix: string): string {
  return `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${suffix}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${suffix}`
}

interface PreTokenizer {
  /** As in tokenizer.json. */
  readonly json: JsonObject
  /** Whole words of the vocabulary are taken before any merge. */
  readonly ignoresMerges: boolean
  /** Other names that llama.cpp reads as the same. */
  readonly aliases: readonly string[]
}

/** Name in GGUF → splitting. The first that matches is the name written. */
export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': { json: byteLevelWords, ignoresMerges: false, aliases: ['phi-2', 'mpt', 'olmo', 'jais', 'trillion', 'exaone4', 'granite-docling', 'roberta-bpe'] },
  'llama-bpe': {
    json: sequence(split(words(contractions, word, '\\p{N}{1,3}')), byteLevel),
    ignoresMerges: true,
    aliases: ['llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'],
  },
  'smaug-bpe': { json: sequence(split(words(contractions, word, '\\p{N}{1,3}')), byteLevel), ignoresMerges: false, aliases: ['dbrx', 'glm4', 'chatglm-bpe'] },
  qwen2: { json: sequence(split(words(contractions, word, '\\p{N}')), byteLevel), ignoresMerges: false, aliases: ['deepseek-r1-qwen', 'stablelm2', 'hunyuan', 'megrez', 'kormo', 'solar-open'] },
  smollm: {
    json: sequence({ type: 'Digits', individual_digits: true }, byteLevelWords),
    ignoresMerges: false,
    aliases: ['starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum'],
  },
  tekken: { json: sequence(split(words('', casedWord(''), '\\p{N}', '[\\r\\n/]*')), byteLevel), ignoresMerges: true, aliases: [] },
  'gpt-4o': { json: sequence(split(words('', casedWord("(?i:'s|'t|'re|'ve|'m|'ll|'d)?"), '\\p{N}{1,3}', '[\\r\\n/]*')), byteLevel), ignoresMerges: false, aliases: ['llama4', 'kanana2'] },
  bloom: { json: sequence(split(' ?[^(\\s|[.,!?…。，、।۔،])]+'), byteLevel), ignoresMerges: false, aliases: ['poro-chat', 'gpt3-finnish'] },
  falcon: {
    json: sequence({ type: 'Punctuation', behavior: 'Contiguous' }, byteLevelWords, { type: 'Digits', individual_digits: false }, split('[0-9][0-9][0-9]')),
    ignoresMerges: false,
    aliases: [],
  },
}

/** What makes two steps of a pre-tokenizer the same, with the defaults of the tokenizers library filled in. */
function stepKey(step: JsonObject): string {
  const pattern = isObject(step.pattern) ? step.pattern : {}
  const keys: Readonly<Record<string, () => unknown>> = {
    ByteLevel: () => [step.use_regex ?? true, step.add_prefix_space ?? true],
    Split: () => [pattern.Regex ?? null, pattern.String ?? null, step.behavior, step.invert ?? false],
    Digits: () => [step.individual_digits ?? false],
    Punctuation: () => [step.behavior ?? 'Isolated'],
  }
  const type = String(step.type)
  return JSON.stringify([type, Object.hasOwn(keys, type) ? keys[type]?.() : step])
}

function steps(json: unknown): JsonObject[] {
  if (!isObject(json)) return []
  return json.type === 'Sequence' && Array.isArray(json.pretokenizers) ? json.pretokenizers.flatMap(steps) : [json]
}

function key(json: unknown): string {
  return steps(json).map(stepKey).join()
}

/** The name llama.cpp has for a tokenizer.json's pre_tokenizer. */
export function preTokenizerName(where: string, json: unknown, ignoresMerges: boolean): string {
  const matches = Object.entries(preTokenizers).filter(([, known]) => key(known.json) === key(json))
  const [first] = matches.find(([, known]) => known.ignoresMerges === ignoresMerges) ?? matches[0] ?? []
  if (first !== undefined) return first
  throw new AppError('bad-tokenizer', `${where}: pre_tokenizer: found ${JSON.stringify(json)?.slice(0, 200) ?? 'none'}, expected one that llama.cpp has a name for (${Object.keys(preTokenizers).join(', ')})`, {
    hint: 'This model cannot be written as GGUF without changing its tokens; choose the ONNX or safetensors target.',
  })
}

/** The splitting that a GGUF file names. */
export function preTokenizerOf(where: string, name: string): PreTokenizer {
  const found = Object.entries(preTokenizers).find(([own, { aliases }]) => own === name || aliases.includes(name))
  if (found) return found[1]
  throw new AppError('bad-tokenizer', `${where}: tokenizer.ggml.pre: found "${name}", expected one of ${Object.keys(preTokenizers).join(', ')} or a name that means the same`, {
    hint: 'Use the Hugging Face folder of this model: its tokenizer.json spells the splitting out.',
  })
}
