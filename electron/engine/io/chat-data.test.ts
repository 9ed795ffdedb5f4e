import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Example } from './chat-data-example.ts'
import { readExamples, type ExampleOptions, type Examples } from './chat-data.ts'
import { withFolder } from './temporary-folder.ts'
import { checkTokenizer } from './tokenizer-file.ts'
import { createTokenizer, openTokenizer, type Tokenizer } from './tokenizer.ts'

const assets = path.join(import.meta.dirname, '../../../assets')
const chatml = "{% for m in messages %}{% if m.role == 'robot' %}{{ raise_exception('no robots') }}{% endif %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"

/** A token a character, and one for "ab", so that borders between tokens are where the test can see them. */
function letters({ template, addsBos = false }: { template?: string; addsBos?: boolean } = {}): Tokenizer {
  const characters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i))
  const vocabulary = ['<s>', '</s>', ...characters, 'Ċ', 'ab']
  return createTokenizer(checkTokenizer('t.json', {
    added_tokens: [{ id: 0, content: '<s>', special: true }, { id: 1, content: '</s>', special: true }],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    decoder: { type: 'ByteLevel' },
    post_processor: addsBos ? { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [], special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } } } : null,
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), merges: ['a b'] },
  }, { bos_token: '<s>', eos_token: '</s>', chat_template: template }))
}

async function read(lines: readonly unknown[], tokenizer: Tokenizer, options: Partial<ExampleOptions> = {}): Promise<Examples> {
  return withFolder(async (folder) => {
    const file = path.join(folder, 'data.jsonl')
    await writeFile(file, lines.map((line) => JSON.stringify(line)).join('\n'))
    return readExamples(file, tokenizer, { length: 64, heldOut: 0, ...options })
  })
}

/** The text of a window, what is learned of it in brackets. */
function marked(tokenizer: Tokenizer, { tokens, mask }: Example): string {
  return tokenizer.pieces(tokens).map((piece, at) => (mask[at] === 1 ? `[${piece}]` : piece)).join('').replaceAll('][', '')
}

async function markedRow(record: unknown, tokenizer: Tokenizer): Promise<string> {
  const { train: [window] } = await read([record], tokenizer)
  return window === undefined ? '' : marked(tokenizer, window)
}

describe('what is learned', () => {
  test('of a text everything but its first token', async () => {
    expect(await markedRow({ text: 'cat' }, letters())).toBe('c[at</s>]')
    expect(await markedRow({ text: 'cat' }, letters({ addsBos: true }))).toBe('<s>[cat</s>]')
  })

  test('of a prompt its completion', async () => {
    expect(await markedRow({ prompt: '2+2=', completion: '4' }, letters())).toBe('2+2=[4</s>]')
    expect(await markedRow({ prompt: 'x', completion: 'y' }, letters({ addsBos: true }))).toBe('<s>x[y</s>]')
  })

  test('a token across the border counts to the completion', async () => {
    expect(await markedRow({ prompt: 'ca', completion: 'bc' }, letters())).toBe('c[abc</s>]')
  })

  test('of a conversation every answer, by the template, and nothing is added to it', async () => {
    const messages = [{ role: 'system', content: 's' }, { role: 'user', content: 'q' }, { role: 'assistant', content: 'r' }, { role: 'user', content: 'Q' }, { role: 'assistant', content: 'R' }]
    expect(await markedRow({ messages }, letters({ template: chatml }))).toBe('<|system|>s</s><|user|>q</s><|assistant|>[r</s>]<|user|>Q</s><|assistant|>[R</s>]')
  })

  test('of a conversation without a template the answers, line by line', async () => {
    const messages = [{ role: 'user', content: 'q' }, { role: 'assistant', content: 'r' }, { role: 'user', content: 'Q' }, { role: 'assistant', content: 'R' }]
    expect(await markedRow({ messages }, letters())).toBe('q[\nr]\nQ[\nR</s>]')
  })
})

describe('windows', () => {
  test('short examples share one; none is learned from the example before', async () => {
    const tokenizer = letters()
    const { train, counts } = await read(['cd', 'ef', 'gh'].map((text) => ({ text })), tokenizer, { length: 6 })
    expect(train.map((window) => marked(tokenizer, window)).sort()).toHaveLength(2)
    for (const { tokens } of train) expect(tokens.length).toBeLessThanOrEqual(6)
    expect(train.map((window) => marked(tokenizer, window)).join(' ').replaceAll(/[a-z]\[/g, '[').replaceAll('[', '')).toMatch(/^(?:[dfh]<\/s>\] ?){3}$/)
    expect(counts).toMatchObject({ rows: 3, examples: 3, tokens: 9, targets: 6, truncated: 0 })
  })

  test('a long text is cut, a long answer truncated and counted, a prompt that fills the window left out', async () => {
    const tokenizer = letters()
    const long = await read([{ text: 'cdefghij' }], tokenizer, { length: 4 })
    expect(long.train.map((window) => marked(tokenizer, window)).sort()).toEqual(['c[def]', 'g[hij]'])
    const { train, counts } = await read([{ prompt: 'cd', completion: 'efgh' }, { prompt: 'cdef', completion: 'g' }], tokenizer, { length: 4 })
    expect(train.map((window) => marked(tokenizer, window))).toEqual(['cd[ef]'])
    expect(counts).toMatchObject({ rows: 2, examples: 1, truncated: 2, truncatedTokens: 5, unusable: 1 })
  })

  test('the same seed gives the same windows, another one others', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: String(i), completion: String(i * 7) }))
    const texts = async (seed: number): Promise<string[]> => (await read(rows, letters(), { seed, heldOut: 0.25 })).train.map((window) => marked(letters(), window))
    expect(await texts(1)).toEqual(await texts(1))
    expect(await texts(1)).not.toEqual(await texts(2))
  })
})

describe('held out', () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ prompt: `${i}:`, completion: String(i * 31) }))

  test('a share by seed; doubles are dropped first, so nothing is on both sides', async () => {
    const tokenizer = letters()
    const { train, heldOut, counts } = await read([...rows, ...rows], tokenizer, { length: 12, heldOut: 0.25, seed: 3 })
    const examples = (windows: readonly Example[]): string[] => windows.flatMap((window) => tokenizer.decode(window.tokens).split('</s>').filter((text) => text !== ''))
    expect(counts).toMatchObject({ rows: 40, examples: 20, duplicates: 20 })
    expect(examples(heldOut)).toHaveLength(5)
    expect([...examples(train), ...examples(heldOut)].sort()).toEqual(rows.map(({ prompt, completion }) => prompt + completion).sort())
  })

  test('a file of its own, refused where it shares examples', async () => {
    await withFolder(async (folder) => {
      const other = path.join(folder, 'other.csv')
      await writeFile(other, 'prompt,completion\n99:,1\n')
      const { train, heldOut } = await read(rows, letters(), { heldOut: other })
      expect([train.length, heldOut.length]).toEqual([3, 1])
      await writeFile(other, 'prompt,completion\n99:,1\n2:,62\n')
      await expect(read(rows, letters(), { heldOut: other })).rejects.toThrow(/other\.csv: found 1 of 2 examples also in .*data\.jsonl \(row 2\), expected none/)
    })
  })

  test('never the last example', async () => {
    await expect(read([{ text: 'cd' }], letters(), { heldOut: 0.1 })).rejects.toThrow('found 1 example, expected more')
  })
})

describe('refused, with the row', () => {
  const template = "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}{{ messages | length }}"
  test.each([
    ['a record of another kind', [{ text: 'a' }, { question: 'b' }], chatml, /data\.jsonl: row 2: found no field "text", "messages", "prompt and completion" \(found question\)/],
    ['a conversation without an answer', [{ messages: [{ role: 'user', content: 'q' }] }], chatml, /row 1: found messages without one of the role "assistant"/],
    ['messages the template refuses', [{ text: 'a' }, { messages: [{ role: 'robot', content: 'q' }, { role: 'assistant', content: 'r' }] }], chatml, /row 2: found t\.json: chat_template: found messages it refuses \(no robots\)/],
    ['a template that rewrites what it wrote', [{ messages: [{ role: 'user', content: 'q' }, { role: 'assistant', content: 'r' }] }], template, /row 1: found messages which the chat template writes differently/],
    ['an empty completion', [{ prompt: 'q', completion: '' }], chatml, /row 1: found an empty completion/],
    ['nothing that fits', [{ prompt: 'cdefghijcdefghij', completion: 'c' }], chatml, /found no example that can be used in 1 rows \(of 1 the prompt alone fills the 8 tokens/],
  ])('%s', async (_, rows, used, message) => {
    await expect(read(rows, letters({ template: used }), { length: 8 })).rejects.toThrow(message)
  })

  test('a template that cannot be read is a fault of the tokenizer', async () => {
    await expect(read([{ messages: [{ role: 'assistant', content: 'r' }] }], letters({ template: '{% for %}' }))).rejects.toThrow('found a template that cannot be read')
  })
})

test('the instructions that come with the program', async () => {
  const { train, heldOut, counts } = await readExamples(path.join(assets, 'instructions.jsonl'), await openTokenizer(path.join(assets, 'sample-model')), { length: 256, seed: 0 })
  expect(counts).toMatchObject({ duplicates: 0, truncated: 0, unusable: 0 })
  expect(counts.examples).toBeGreaterThan(200)
  expect(heldOut.length).toBeGreaterThan(0)
  for (const { tokens, mask } of train) expect(mask).toHaveLength(tokens.length)
})
