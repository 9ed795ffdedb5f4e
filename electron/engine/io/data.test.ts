import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { dataOverlap, previewData } from './data-preview.ts'
import { findData, hashData, readRows, readTexts, spreadPlaces, tokenWindows } from './data.ts'
import { withFolder } from './temporary-folder.ts'
import { openTokenizer } from './tokenizer.ts'

const sampleFolder = path.join(import.meta.dirname, '../../../assets/sample-model')
const validation = path.join(sampleFolder, 'validation.txt')

/** Rows without their file; of a parser's words only the beginning. */
async function rowsOf(source: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const row of readRows(await findData(source))) {
    rows.push({ row: row.row, ...('text' in row ? { text: row.text } : { reason: row.reason.replace(/^not JSON: .+/, 'not JSON: …') }) })
  }
  return rows
}

async function withFile<T>(name: string, content: string | Uint8Array, work: (file: string, folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const file = path.join(folder, name)
    await writeFile(file, content)
    return work(file, folder)
  })
}

async function allTexts(source: string): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of readTexts(source)) texts.push(text)
  return texts
}

describe('rows', () => {
  test('of plain text: the file as it is', async () => {
    await withFile('a.txt', '\uFEFFone\r\n\ntwo ☃', async (file) => expect(await rowsOf(file)).toEqual([{ row: 1, text: 'one\r\n\ntwo ☃' }]))
  })

  test('of JSON lines: text, messages, prompt and completion; what cannot be used with the reason', async () => {
    const lines = [
      '{"text":"plain"}', '', '{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]}', '{"prompt":"2+2=","completion":"4"}',
      '{"text":3}', '{"other":1}', '[1]', '{"text":', '{"text":""}', '{"messages":[{"role":"user"}]}',
    ]
    await withFile('a.jsonl', lines.join('\n'), async (file) => {
      expect(await rowsOf(file)).toEqual([
        { row: 1, text: 'plain' },
        { row: 3, text: 'hi\nho' },
        { row: 4, text: '2+2=4' },
        { row: 5, reason: 'field "text" is a number, expected a string' },
        { row: 6, reason: 'no field "text", "messages", "prompt and completion" (found other)' },
        { row: 7, reason: 'a list, expected a JSON object' },
        { row: 8, reason: 'not JSON: …' },
        { row: 9, reason: 'field "text" is empty' },
        { row: 10, reason: 'field "messages" is not a list of { role, content } strings' },
      ])
    })
  })

  test('of CSV: quotes, line ends inside fields, the only column whatever its name', async () => {
    await withFile('a.csv', 'id,text\n1,"one, ""two""\nthree"\n2,four\n', async (file) => expect(await allTexts(file)).toEqual(['one, "two"\nthree', 'four']))
    await withFile('a.csv', 'story\nonce\nupon\n', async (file) => expect(await allTexts(file)).toEqual(['once', 'upon']))
  })

  test('of Parquet, as pyarrow wrote it', async () => {
    expect(await rowsOf(path.join(import.meta.dirname, 'goldens/rows.parquet'))).toEqual([
      { row: 1, text: 'first row' },
      { row: 2, text: 'zweite Zeile ☃' },
      { row: 3, reason: 'no field "text", "messages", "prompt and completion" (found text)' },
      { row: 4, reason: 'field "text" is empty' },
      { row: 5, text: 'fifth '.repeat(20) },
    ])
  })

  test('of a folder: its data files in order of their names', async () => {
    await withFile('b.txt', 'second', async (_, folder) => {
      await writeFile(path.join(folder, 'a.jsonl'), '{"text":"first"}')
      await writeFile(path.join(folder, 'notes.pdf'), 'no')
      expect(await allTexts(folder)).toEqual(['first', 'second'])
    })
  })

  test('a long file whose characters lie across the pieces it is read in', async () => {
    const text = `x${'☃'.repeat(800_000)}`
    await withFile('a.txt', text, async (file) => expect((await allTexts(file))[0] === text).toBe(true))
  })
})

describe('data that cannot be used', () => {
  test.each([
    ['a.txt', Buffer.concat([Buffer.from('abc☃'), Buffer.from([0xe9, 0x20])]), 'byte 6: found 0xe9, expected text in UTF-8'],
    ['a.txt', Buffer.from('abc☃').subarray(0, 5), 'byte 3: found 0xe2, expected text in UTF-8'],
    ['a.txt', Buffer.concat([Buffer.alloc((1 << 20) + 5, 'a'), Buffer.from([0xff])]), 'byte 1048581: found 0xff'],
    ['a.jsonl', Buffer.from([0xff, 0xfe, 0x7b, 0]), 'byte 0: found UTF-16, expected text in UTF-8'],
    ['a.csv', Buffer.from('text\na\xe9', 'latin1'), 'byte 6: found 0xe9'],
    ['a.txt', Buffer.alloc(0), 'found an empty file, expected text'],
    ['a.jsonl', Buffer.from('{"text":"a"}\nnope'), 'row 2: found not JSON'],
    ['a.parquet', Buffer.from('PAR1 and nothing more PAR1'), 'found a Parquet file that cannot be read'],
    ['a.pdf', Buffer.from('%PDF'), 'found a file ending in ".pdf", expected one of .txt'],
  ])('%s: %s', async (name, bytes, message) => {
    await withFile(name, bytes, async (file) => {
      await expect(allTexts(file)).rejects.toThrow(message)
      await expect(allTexts(file)).rejects.toMatchObject({ code: 'bad-data' })
    })
  })

  test('a missing file, a folder without data, a parquet file without text', async () => {
    await withFolder(async (folder) => {
      await expect(allTexts(path.join(folder, 'no.txt'))).rejects.toMatchObject({ code: 'file-missing' })
      await mkdir(path.join(folder, 'sub'))
      await expect(allTexts(path.join(folder, 'sub'))).rejects.toThrow('found 0 data files, expected 1 to 10000')
    })
  })
})

describe('windows', () => {
  test('all of them are the text cut end to end', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    const whole = await tokenizer.encode(await readFile(validation, 'utf8'))
    const { windows, places, tokens } = await tokenWindows(tokenizer, readTexts(validation), { length: 512 })
    expect(tokens).toBe(49648)
    expect(windows.length).toBe(96)
    expect(places[95]).toBe(95)
    expect(windows[95]).toEqual(whole.slice(95 * 512, 96 * 512))
  })

  test('a choice spreads over the text, by seed', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    const choose = async (seed: number): Promise<readonly number[]> => (await tokenWindows(tokenizer, readTexts(validation), { length: 512, samples: 8, seed })).places
    const first = await choose(1)
    expect(await choose(1)).toEqual(first)
    expect(await choose(2)).not.toEqual(first)
    first.forEach((place, i) => expect(Math.floor(place / 12)).toBe(i)) // one of each eighth of the 96
  })

  test('places are different and in order, whatever the counts', () => {
    for (const [count, samples] of [[5, 5], [7, 3], [100, 99], [3, 10]]) {
      const places = spreadPlaces(count, samples, 7)
      expect(places.length).toBe(Math.min(count, samples))
      expect([...new Set(places)].sort((a, b) => a - b)).toEqual(places)
      expect(places.at(-1)).toBeLessThan(count)
    }
  })

  test('rows are divided by the end token', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    await withFile('a.jsonl', '{"text":"a cat"}\n{"text":"a dog"}', async (file) => {
      const { windows } = await tokenWindows(tokenizer, readTexts(file), { length: 5 })
      expect(windows.map((window) => tokenizer.decode(window))).toEqual(['a cat<|endoftext|>a dog'])
    })
  })

  test('text that is too short says how much there is', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    await withFile('a.txt', 'too short', async (file) => {
      await expect(tokenWindows(tokenizer, readTexts(file), { length: 512 })).rejects.toThrow(/found \d tokens, expected at least 512 \(one window\)/)
    })
  })
})

describe('preview', () => {
  test('of JSON lines', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    const lines = ['{"text":"a cat"}', '{"text":"a dog"}', '{"text":" a cat "}', '{"no":1}']
    await withFile('a.jsonl', lines.join('\n'), async (file) => {
      const preview = await previewData(file, tokenizer, 4)
      const lengths = await Promise.all(['a cat', 'a dog', ' a cat '].map(async (text) => (await tokenizer.encode(text)).length))
      expect(preview).toMatchObject({ kind: 'jsonl', rows: 4, duplicates: 1, bad: [{ row: 4, reason: 'no field "text", "messages", "prompt and completion" (found no)' }], lengths: [{ upTo: 16, count: 3 }] })
      expect(preview.tokens).toBe(lengths.reduce((sum, n) => sum + n, 2)) // two dividers
      expect(preview.windows).toBe(Math.floor(preview.tokens / 4))
      expect(preview.samples[0]).toEqual({ tokens: Array.from(await tokenizer.encode('a cat')), pieces: ['a', ' cat'] })
    })
  })

  test('of plain text counts lines; the histogram counts every one', async () => {
    const tokenizer = await openTokenizer(sampleFolder)
    const preview = await previewData(validation, tokenizer, 512)
    const lines = (await readFile(validation, 'utf8')).split('\n').filter((line) => line.trim() !== '')
    expect(preview).toMatchObject({ kind: 'text', rows: lines.length, tokens: 49648, windows: 96, bad: [] })
    expect(preview.duplicates).toBe(lines.length - new Set(lines.map((line) => line.trim())).size)
    expect(preview.lengths.reduce((sum, { count }) => sum + count, 0)).toBe(lines.length)
    expect(preview.sha256).toBe(await hashData(await findData(validation)))
  })
})

test('overlap counts the long lines of one text that another has', async () => {
  const long = (n: number): string => `This is line number ${n} of a text that is long enough.`
  await withFile('a.txt', [long(1), long(2), 'short', long(3)].join('\n'), async (first, folder) => {
    const second = path.join(folder, 'b.jsonl')
    await writeFile(second, [{ text: `  ${long(2)}` }, { text: long(4) }, { text: 'short' }].map((row) => JSON.stringify(row)).join('\n'))
    expect(await dataOverlap(first, second)).toEqual({ rows: 2, shared: 1 })
  })
  expect((await dataOverlap(path.join(sampleFolder, 'calibration.txt'), validation)).shared).toBe(0)
})
