import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { writeGguf, type GgufEntries } from '../io/gguf-writer.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { checkTokenizer } from '../io/tokenizer-file.ts'
import { tokenizerFromGguf } from '../io/tokenizer-gguf.ts'
import { createTokenizer, openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import { tokenizerEntries } from './gguf-tokenizer.ts'

/** What sentencepiece makes of texts, with its own vocabulary (io/goldens/make_tokens.py). */
const golden = z
  .object({ sentencePiece: z.object({ tokens: z.array(z.string()), scores: z.array(z.number()), types: z.array(z.number()), texts: z.array(z.string()), ids: z.array(z.array(z.number())) }) })
  .parse(JSON.parse(await readFile(path.join(import.meta.dirname, '../io/goldens/tokens.json'), 'utf8'))).sentencePiece

const source = createTokenizer(
  tokenizerFromGguf('vocabulary.gguf', {
    'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.tokens': golden.tokens, 'tokenizer.ggml.scores': Float32Array.from(golden.scores), 'tokenizer.ggml.token_type': Int32Array.from(golden.types),
    'tokenizer.ggml.bos_token_id': 1, 'tokenizer.ggml.eos_token_id': 2, 'tokenizer.ggml.unknown_token_id': 0,
  }),
)

async function writtenAndRead(tokenizer: Tokenizer, rows: number): Promise<{ entries: GgufEntries; tokenizer: Tokenizer }> {
  const entries = tokenizerEntries(tokenizer, rows)
  return withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    await writeGguf(file, entries, [])
    return { entries, tokenizer: await openTokenizer(file) }
  })
}

describe('a SentencePiece vocabulary', () => {
  const isPlain = (text: string): boolean => !text.includes('<tag>')

  test('gives the ids of sentencepiece after writing and reading', async () => {
    const { entries, tokenizer } = await writtenAndRead(source, golden.tokens.length + 4)
    for (const [i, text] of golden.texts.entries()) if (isPlain(text)) expect(Array.from(await tokenizer.encode(text)), JSON.stringify(text)).toEqual(golden.ids[i])
    expect(entries['tokenizer.ggml.add_space_prefix']).toEqual({ type: 'bool', value: true })
    expect(entries['tokenizer.ggml.add_bos_token']).toEqual({ type: 'bool', value: true })
    expect(tokenizer).toMatchObject({ vocabulary: golden.tokens.length + 4, bos: 1, eos: 2, addsBos: true }) // rows of the embedding that no token has are padding
  })

  test('spelled with Metaspace in tokenizer.json gives the same', async () => {
    const { json, config } = source.file
    for (const metaspace of [{ prepend_scheme: 'always' }, { add_prefix_space: true }]) {
      const spelled = createTokenizer(checkTokenizer('tokenizer.json', { ...json, normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', ...metaspace }, decoder: { type: 'Metaspace', replacement: '▁', ...metaspace } }, config))
      const { tokenizer } = await writtenAndRead(spelled, golden.tokens.length)
      for (const [i, text] of golden.texts.entries()) {
        if (!isPlain(text) || text.startsWith(' ')) continue // Metaspace puts no second space before a space
        expect(Array.from(await spelled.encode(text)), text).toEqual(golden.ids[i])
        expect(Array.from(await tokenizer.encode(text)), text).toEqual(golden.ids[i])
      }
    }
  })

  test('without a space before the text says so', async () => {
    const { json, config } = source.file
    for (const sections of [{ normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' } }, { normalizer: null, pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: false } }]) {
      const { entries, tokenizer } = await writtenAndRead(createTokenizer(checkTokenizer('tokenizer.json', { ...json, ...sections }, config)), golden.tokens.length)
      expect(entries['tokenizer.ggml.add_space_prefix']).toEqual({ type: 'bool', value: false })
      expect(tokenizer.pieces(await tokenizer.encode('a b'))).toEqual(['a', ' b'])
    }
  })
})

test('a kind that GGUF has no name for', () => {
  const unigram = createTokenizer(checkTokenizer('tokenizer.json', { model: { type: 'Unigram', vocab: [['<unk>', 0], ['a', -1]], unk_id: 0 } }, {}))
  expect(() => tokenizerEntries(unigram, 2)).toThrow('tokenizer.json: found a Unigram tokenizer, expected byte-level BPE or SentencePiece BPE')
})
