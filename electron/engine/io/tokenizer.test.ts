import { createHash } from 'node:crypto'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isObject, parseJson } from './json.ts'
import { writeGguf, type GgufEntries } from './gguf-writer.ts'
import { preTokenizerName } from './pre-tokenizers.ts'
import { withFolder } from './temporary-folder.ts'
import { checkTokenizer } from './tokenizer-file.ts'
import { checkVocabulary, createTokenizer, openTokenizer, type Tokenizer } from './tokenizer.ts'

const sampleFolder = path.join(import.meta.dirname, '../../../assets/sample-model')
const Ids = z.array(z.array(z.number()))
const golden = z
  .object({
    texts: z.array(z.string()),
    sample: z.object({ ids: Ids, decoded: z.array(z.string()), validation: z.object({ count: z.number(), sha256: z.string() }) }),
    splittings: z.record(z.string(), z.object({ json: z.record(z.string(), z.unknown()), words: z.array(z.array(z.string())) })),
    sentencePiece: z.object({ tokens: z.array(z.string()), scores: z.array(z.number()), types: z.array(z.number()), texts: z.array(z.string()), ids: Ids }),
  })
  .parse(JSON.parse(await readFile(path.join(import.meta.dirname, 'goldens/tokens.json'), 'utf8')))
const sampleJson = parseJson(await readFile(path.join(sampleFolder, 'tokenizer.json')), 'tokenizer.json')

async function encodeAll(tokenizer: Tokenizer, texts: readonly string[]): Promise<number[][]> {
  return Promise.all(texts.map(async (text) => Array.from(await tokenizer.encode(text))))
}

/** The sample's tokenizer as the key-values of a GGUF file. */
function sampleEntries(): GgufEntries {
  const { model } = sampleJson
  if (!isObject(model) || !isObject(model.vocab) || !Array.isArray(model.merges)) throw new Error('unexpected sample')
  const tokens: string[] = []
  for (const [token, id] of Object.entries(model.vocab)) tokens[Number(id)] = token
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'gpt-2' },
    'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: tokens },
    'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: tokens.map((token) => (token === '<|endoftext|>' ? 3 : 1)) },
    'tokenizer.ggml.merges': { type: 'array', of: 'string', value: model.merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge))) },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: 0 },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: 0 },
  }
}

describe('the sample model', () => {
  test('gives the ids and texts of the tokenizers package', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    expect(await encodeAll(tokenizer, golden.texts)).toEqual(golden.sample.ids)
    expect(golden.sample.ids.map((ids) => tokenizer.decode(ids))).toEqual(golden.sample.decoded)
    expect(tokenizer).toMatchObject({ vocabulary: 4096, bos: 0, eos: 0, addsBos: false, chatTemplate: null })
  })

  test('a long text, encoded in pieces, gives the ids of the tokenizers package', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    const ids = await tokenizer.encode(await readFile(path.join(sampleFolder, 'validation.txt'), 'utf8'))
    expect(ids.length).toBe(golden.sample.validation.count)
    expect(createHash('sha256').update(new Uint8Array(ids.buffer)).digest('hex')).toBe(golden.sample.validation.sha256)
  })

  test('encoding a long text lets the event loop turn', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    let turns = 0
    const count = (): void => {
      turns++
      timer = setImmediate(count)
    }
    let timer = setImmediate(count)
    await tokenizer.encode(await readFile(path.join(sampleFolder, 'validation.txt'), 'utf8'))
    clearImmediate(timer)
    expect(turns).toBeGreaterThan(3)
    await expect(tokenizer.encode('a b', AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('pieces: the text of each id, parts of characters as U+FFFD', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    expect(tokenizer.pieces(await tokenizer.encode('a cat 漢<|endoftext|>'))).toEqual(['a', ' cat', ' ', '�', '�', '�', '<|endoftext|>'])
  })

  test('from a GGUF file gives the same ids', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'vocabulary.gguf')
      await writeGguf(file, sampleEntries(), [])
      const tokenizer = await openTokenizer(file)
      expect(await encodeAll(tokenizer, golden.texts)).toEqual(golden.sample.ids)
      expect(tokenizer).toMatchObject({ vocabulary: 4096, bos: 0, eos: 0, addsBos: false })
    })
  })
})

describe.each(Object.entries(golden.splittings))('splitting %s', (name, { json, words }) => {
  const frame = checkTokenizer('tokenizer.json', { ...sampleJson, pre_tokenizer: json }, {})

  test('is recognised as published', () => {
    expect(preTokenizerName('tokenizer.json', json, name === 'llama-bpe' || name === 'tekken')).toBe(name)
  })

  test('gives the words of the tokenizers package, joined as tokens', async () => {
    // the token texts of the whole must be those of the words alone, one by one
    const tokenizer = createTokenizer(frame)
    const plain = createTokenizer(checkTokenizer('tokenizer.json', { ...sampleJson, pre_tokenizer: null, added_tokens: [] }, {}))
    for (const [i, text] of golden.texts.entries()) {
      const alone = await Promise.all((words[i] ?? []).map(async (word) => Array.from(await plain.encode(word))))
      if (!text.includes('<|')) expect(Array.from(await tokenizer.encode(text)), JSON.stringify(text)).toEqual(alone.flat())
    }
  })

  test('a text of many lines gives the same ids in pieces as whole', async () => {
    const text = Array.from({ length: 40 }, (_, i) => golden.texts.map((line) => line.repeat(1 + (i % 2))).join(i % 3 === 0 ? '\n' : ' ')).join('\n')
    const pieces = await createTokenizer(frame).encode(text)
    const whole = await createTokenizer({ ...frame, config: { remove_space: false }, kind: 'WordPiece' }).encode(text) // a kind that is never cut
    expect(text.length).toBeGreaterThan(16_000)
    expect(pieces).toEqual(whole)
  })
})

describe('a SentencePiece vocabulary in a GGUF file', () => {
  const { tokens, scores, types, texts, ids } = golden.sentencePiece
  const entries: GgufEntries = {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'array', of: 'string', value: tokens },
    'tokenizer.ggml.scores': { type: 'array', of: 'f32', value: scores },
    'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: types },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: 2 },
    'tokenizer.ggml.unknown_token_id': { type: 'u32', value: 0 },
  }

  test('gives the ids of sentencepiece, and the texts back', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'vocabulary.gguf')
      await writeGguf(file, entries, [])
      const tokenizer = await openTokenizer(file)
      for (const [i, text] of texts.entries()) {
        // llama.cpp begins the text after a special token with a space again; sentencepiece does not
        if (!text.includes('<tag>')) expect(Array.from(await tokenizer.encode(text)), JSON.stringify(text)).toEqual(ids[i])
        expect(tokenizer.decode(ids[i] ?? [])).toBe(text)
      }
      expect(tokenizer.pieces(await tokenizer.encode('a<tag>b'))).toEqual([' a', '<tag>', ' b'])
      expect(tokenizer).toMatchObject({ vocabulary: tokens.length, bos: 1, eos: 2, addsBos: true })
      expect(tokenizer.pieces(ids[0] ?? []).join('')).toBe(` ${texts[0] ?? ''}`)
    })
  })

  test('a long text gives the same ids in pieces as whole', async () => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'vocabulary.gguf')
      await writeGguf(file, entries, [])
      const tokenizer = await openTokenizer(file)
      const text = (await readFile(path.join(sampleFolder, 'validation.txt'), 'utf8')).slice(0, 40_000)
      const whole = createTokenizer({ ...tokenizer.file, kind: 'WordPiece' }) // a kind that is never cut
      expect(await tokenizer.encode(text)).toEqual(await whole.encode(text))
    })
  })
})

describe('tokenizers that cannot be used', () => {
  const broken = (change: Record<string, unknown>): (() => unknown) => () => createTokenizer(checkTokenizer('t.json', { ...sampleJson, ...change }, {}))
  test.each([
    ['no model', { model: undefined }, 't.json: found no "model", expected a tokenizer'],
    ['unknown model', { model: { type: 'Magic', vocab: {} } }, 'model.type: found "Magic", expected one of BPE, Unigram, WordPiece'],
    ['no tokens', { model: { type: 'BPE', vocab: {}, merges: [] } }, 'model.vocab: found 0 tokens'],
    ['id not a number', { model: { type: 'BPE', vocab: { a: '1' }, merges: [] } }, 'model.vocab "a": found "1", expected an id below'],
    ['id of 4 billion', { model: { type: 'BPE', vocab: { a: 4e9 }, merges: [] } }, 'model.vocab "a": found 4000000000'],
    ['id twice', { model: { type: 'BPE', vocab: { a: 0, b: 0 }, merges: [] } }, 'model.vocab "b": found the id 0 of "a", expected each id once'],
    ['no merges', { model: { type: 'BPE', vocab: { a: 0 } } }, 'model.merges: found undefined, expected a list'],
    ['merge of three', { model: { type: 'BPE', vocab: { a: 0 }, merges: [['a', 'b', 'c']] } }, 'model.merges entry 0: found ["a","b","c"], expected two tokens'],
    ['added token without content', { added_tokens: [{ id: 0 }] }, 'added_tokens: found {"id":0}, expected entries with an id and a content'],
    ['endless pattern', { pre_tokenizer: { type: 'Split', pattern: { Regex: 'a'.repeat(5000) }, behavior: 'Isolated' } }, 'pre_tokenizer: found a pattern of 5000 characters'],
    ['pattern that is none', { pre_tokenizer: { type: 'Split', pattern: { Regex: '(((' }, behavior: 'Isolated' } }, 'found a tokenizer that cannot be used'],
    ['unknown splitting', { pre_tokenizer: { type: 'Nonsense' } }, 'found a tokenizer that cannot be used'],
  ])('%s', (_, change, message) => {
    expect(broken(change)).toThrow(message)
    expect(broken(change)).toThrow(expect.objectContaining({ code: 'bad-tokenizer' }))
  })

  test('a folder without tokenizer.json', async () => {
    await withFolder(async (folder) => {
      await expect(openTokenizer(folder)).rejects.toMatchObject({ code: 'bad-tokenizer', message: `${folder}: found no tokenizer.json, expected the tokenizer beside the weights` })
    })
  })

  test('the tokenizer of another model', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    expect(() => checkVocabulary(tokenizer, 4000)).toThrow("found 4096 tokens, expected at most the model's 4000 embeddings")
    checkVocabulary(tokenizer, 4096)
  })

  test('a splitting that GGUF has no name for', () => {
    expect(() => preTokenizerName('t.json', { type: 'Whitespace' }, false)).toThrow('pre_tokenizer: found {"type":"Whitespace"}, expected one that llama.cpp has a name for (gpt-2, llama-bpe')
  })

  test.each([
    ['no tokenizer', {}, 'tokenizer.ggml.model: found nothing'],
    ['unknown kind', { 'tokenizer.ggml.model': { type: 'string', value: 'bert' } }, 'found "bert", expected one of gpt2, llama'],
    ['no tokens', { 'tokenizer.ggml.model': { type: 'string', value: 'gpt2' } }, 'tokenizer.ggml.tokens: found no list of texts'],
    ['unknown splitting', { ...sampleEntries(), 'tokenizer.ggml.pre': { type: 'string', value: 'odd' } }, 'tokenizer.ggml.pre: found "odd", expected one of gpt-2'],
    ['types too few', { ...sampleEntries(), 'tokenizer.ggml.token_type': { type: 'array', of: 'i32', value: [1] } }, 'tokenizer.ggml.token_type: found 1 types, expected 4096 types'],
    ['no scores', { ...sampleEntries(), 'tokenizer.ggml.model': { type: 'string', value: 'llama' } }, 'tokenizer.ggml.scores: found no list of numbers'],
  ] satisfies [string, GgufEntries, string][])('GGUF: %s', async (_, entries, message) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'model.gguf')
      await writeGguf(file, entries, [])
      await expect(openTokenizer(file)).rejects.toThrow(message)
    })
  })

  test('special tokens named in config.json alone, a template in a file of its own', async () => {
    await withFolder(async (folder) => {
      await copyFile(path.join(sampleFolder, 'tokenizer.json'), path.join(folder, 'tokenizer.json'))
      await writeFile(path.join(folder, 'config.json'), '{"eos_token_id": [5, 6], "bos_token_id": 4}')
      await writeFile(path.join(folder, 'chat_template.jinja'), '{{ messages }}')
      expect(await openTokenizer(folder)).toMatchObject({ bos: 4, eos: 5, chatTemplate: '{{ messages }}' })
    })
  })

  test('a damaged tokenizer.json', async () => {
    await withFolder(async (folder) => {
      await copyFile(path.join(sampleFolder, 'tokenizer_config.json'), path.join(folder, 'tokenizer_config.json'))
      await writeFile(path.join(folder, 'tokenizer.json'), '{"model":')
      await expect(openTokenizer(folder)).rejects.toMatchObject({ code: 'file-malformed' })
    })
  })
})
