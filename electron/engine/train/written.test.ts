import { describe, expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { chooseToken, createRandom } from '../evaluate/sampling.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { golden, quantized } from './testing.ts'
import { jobWritten, writeWindows, writtenCount } from './written.ts'

const windows = [Int32Array.from({ length: 20 }, (_, at) => at + 1), Int32Array.from({ length: 20 }, (_, at) => 90 - at)]
const LENGTH = 24
const BEGUN = 8

async function withModel(work: (model: DecoderModel) => Promise<void>): Promise<void> {
  const model = await openDecoder(golden, silent)
  await work(model).finally(() => model.close())
}

/** Logits at every position of a text, without a cache. */
async function logitsOf(model: DecoderModel, text: Int32Array): Promise<Float32Array> {
  const program = openProgram(model, { threads: 1 })
  let hidden = await program.embed(text)
  for (let block = 0; block < program.blocks; block++) hidden = await program.run(block, hidden, await program.weights(block))
  const logits = await program.logits(await program.finish(hidden))
  program.dispose()
  return logits
}

describe('writeWindows', () => {
  test('goes on from each window in turn by draws from what the whole model predicts', () => withModel(async (model) => {
    const count = 5
    const texts = await writeWindows(model, { windows, count, length: LENGTH, seed: 3 }, silent)
    expect(texts.map((text) => [...text.subarray(0, BEGUN)])).toEqual(Array.from({ length: count }, (_, at) => [...windows[at % 2].subarray(0, BEGUN)]))
    const logits = await Promise.all(texts.map((text) => logitsOf(model, text)))
    const random = createRandom(3)
    const { vocabulary } = model.spec
    for (let at = BEGUN; at < LENGTH; at++) {
      for (const [index, text] of texts.entries()) expect(text[at]).toBe(chooseToken(logits[index].subarray((at - 1) * vocabulary, at * vocabulary), { temperature: 1, topP: 1 }, random))
    }
    expect(new Set(texts.map(String)).size).toBe(count)
  }))

  test('begins as far as the shortest window goes, and with nothing to begin from says so', () => withModel(async (model) => {
    const [text] = await writeWindows(model, { windows: [Int32Array.of(7, 8)], count: 1, length: 6, seed: 0 }, silent)
    expect([text.length, ...text.subarray(0, 2)]).toEqual([6, 7, 8])
    expect(await writeWindows(model, { windows: [], count: 0, length: 6, seed: 0 }, silent)).toEqual([])
    await expect(writeWindows(model, { windows: [], count: 1, length: 6, seed: 0 }, silent)).rejects.toMatchObject({ code: 'bad-data' })
  }))
})

test('a job keeps what was written for when it is resumed', () => withModel((model) => withFolder(async (folder) => {
  const job = await quantized(folder, model, 'codes', 0)
  const task = { windows, count: 3, length: 16, seed: 1 }
  const written = await jobWritten(job, model, task)
  const other = windows.map((window) => window.toReversed())
  expect(await jobWritten(job, model, { ...task, windows: other })).toEqual(written)
  expect(await jobWritten(job, model, { ...task, windows: other, count: 2 })).not.toEqual(written.slice(0, 2))
})))

describe('writtenCount', () => {
  const spec = { blocks: 2, kvHeads: 2, headSize: 8, vocabulary: 96 } as DecoderModel['spec']
  const task = { written: undefined, objective: 'lrec', steps: 100, batch: 4, read: 30, length: 16, memoryBytes: undefined } as const
  const small = { spec, elements: 1e6 }
  test.each([
    ['what the data lacks for a window to come eight times', small, task, 20],
    ['nothing where the data is enough', small, { ...task, read: 50 }, 0],
    ['what is asked for', small, { ...task, written: 7 }, 7],
    ['nothing for those who learn from the data alone', small, { ...task, objective: 'ce' as const }, 0],
    ['nothing by a model that is slow', { spec, elements: 1e9 }, task, 0],
    ['nothing where its weights pass the limit of memory', small, { ...task, memoryBytes: 3e6 }, 0],
  ])('%s', (_, model, asked, expected) => {
    expect(writtenCount(model, asked)).toBe(expected)
  })
  test('what is asked for is refused where nothing is learned from the original', () => {
    expect(writtenCount(small, { ...task, objective: 'ce', written: 0 })).toBe(0)
    expect(() => writtenCount(small, { ...task, objective: 'ce', written: 7 })).toThrow(/7 windows.*"ce"/)
  })
})
