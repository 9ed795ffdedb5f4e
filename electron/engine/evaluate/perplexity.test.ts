import { copyFile, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent, type JobEvent } from '../../contract/events.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openTokenizer } from '../io/tokenizer.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder } from '../session/model.ts'
import { evaluableDecoder } from './decoder.ts'
import { evaluate, meanAndError, quantile } from './perplexity.ts'
import { cutWindows } from './windows.ts'

const goldens = path.join(import.meta.dirname, '..', 'session', 'goldens', 'llama')
const windows = index.tokens.map((tokens) => Int32Array.from(tokens))
const HALF = 12
/** transformers in float32 on the first 6,600 characters of validation.txt: 4 windows of 512, positions 256 to 510. */
const SAMPLE_PERPLEXITY = 88.00932

async function readGolden(file: string): Promise<Float32Array> {
  const bytes = await readFile(path.join(goldens, file))
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Probabilities of one row of golden logits, in double, by the definition. */
function softmax(logits: Float32Array, row: number): number[] {
  const values = [...logits.subarray(row * index.vocabulary, (row + 1) * index.vocabulary)].map(Math.exp)
  const sum = values.reduce((total, value) => total + value, 0)
  return values.map((value) => value / sum)
}

function expected(model: Float32Array, reference: Float32Array): { nll: number[]; kl: number[]; same: number[] } {
  const rows = windows.flatMap((window, sequence) => Array.from({ length: window.length - 1 - HALF }, (_, place) => ({ row: sequence * window.length + HALF + place, next: window[HALF + place + 1] ?? -1 })))
  const both = rows.map(({ row, next }) => ({ own: softmax(model, row), teacher: softmax(reference, row), next }))
  const top = (values: number[]): number => values.indexOf(Math.max(...values))
  return {
    nll: both.map(({ own, next }) => -Math.log(own[next] ?? NaN)),
    kl: both.map(({ own, teacher }) => teacher.reduce((sum, p, token) => sum + p * Math.log(p / (own[token] ?? NaN)), 0)),
    same: both.map(({ own, teacher }) => Number(top(own) === top(teacher))),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe('evaluate', () => {
  it('gives the figures that follow from the logits of transformers', async () => {
    await withFolder(async (folder) => {
      await copyFile(path.join(goldens, 'linear.json'), path.join(folder, 'config.json'))
      await copyFile(path.join(goldens, 'model.safetensors'), path.join(folder, 'model.safetensors'))
      const model = evaluableDecoder(await openDecoder(folder, silent), { threads: 1, memoryBytes: 0, folder }) // parks on disk
      const reference = evaluableDecoder(await openDecoder(goldens, silent), { threads: 1 })
      const result = await evaluate({ model, reference, windows }, silent)
      const { nll, kl, same } = expected(await readGolden('linear.bin'), await readGolden('logits.bin'))
      expect(result.tokens).toBe(nll.length)
      expect(result.perplexity).toBeCloseTo(Math.exp(mean(nll)), 3)
      expect(result.perplexityReference).toBeCloseTo(Math.exp(mean(expected(await readGolden('logits.bin'), await readGolden('logits.bin')).nll)), 3)
      expect(result.klMean).toBeCloseTo(mean(kl), 5)
      expect(result.klMedian).toBeCloseTo(kl.toSorted((a, b) => a - b)[Math.floor(kl.length / 2)] ?? NaN, 1)
      expect(result.sameTop).toBeCloseTo(mean(same), 9)
      expect(result.bitsPerWeight).toBeCloseTo((result.sizeBytes * 8) / 21664, 9)
      expect(result.bitsPerWeightLayers).toBe(16)
      await model.close()
      await reference.close()
    })
  })

  it('gives the perplexity that PyTorch gives for the sample model', async () => {
    const sample = path.join(import.meta.dirname, '..', '..', '..', 'assets', 'sample-model')
    const tokenizer = await openTokenizer(sample)
    const text = await readFile(path.join(sample, 'validation.txt'), 'utf8')
    const windows = cutWindows(await tokenizer.encode(text.slice(0, 6600)), { length: 512, bos: tokenizer.addsBos ? tokenizer.bos : null }, 'validation.txt')
    const model = evaluableDecoder(await openDecoder(sample, silent))
    const result = await evaluate({ model, windows }, silent)
    expect(result.tokens).toBe(windows.length * 255)
    expect(result.perplexity).toBeCloseTo(SAMPLE_PERPLEXITY, 3)
    await model.close()
  })

  it('refuses logits that are not numbers', async () => {
    const decoder = await openDecoder(goldens, silent)
    const broken = async (block: number) => {
      const weights = { q: await decoder.readWeight(`blocks.${block}.q`), k: await decoder.readWeight(`blocks.${block}.k`), v: await decoder.readWeight(`blocks.${block}.v`), o: await decoder.readWeight(`blocks.${block}.o`) }
      weights.o[3] = Infinity
      return { ...weights, gate: await decoder.readWeight(`blocks.${block}.gate`), up: await decoder.readWeight(`blocks.${block}.up`), down: await decoder.readWeight(`blocks.${block}.down`) }
    }
    await expect(evaluate({ model: evaluableDecoder(decoder, { threads: 1, weights: broken }), windows }, silent)).rejects.toThrow('found logits that are not numbers')
    await decoder.close()
  })

  it('stops when it is cancelled', async () => {
    const model = evaluableDecoder(await openDecoder(goldens, silent), { threads: 1 })
    const controller = new AbortController()
    const report = (event: JobEvent): void => {
      if (event.type === 'progress') controller.abort()
    }
    await expect(evaluate({ model, windows }, { signal: controller.signal, report })).rejects.toMatchObject({ code: 'cancelled' })
    await model.close()
  })

  it('refuses a reference of another vocabulary', async () => {
    const model = evaluableDecoder(await openDecoder(goldens, silent))
    await expect(evaluate({ model, reference: { ...model, vocabulary: 97 }, windows }, silent)).rejects.toThrow(/vocabulary of 96 tokens, expected the reference's 97/)
    await model.close()
  })
})

describe('cutWindows', () => {
  it('leaves the rest out and puts the first token in place', () => {
    const tokens = Int32Array.from({ length: 11 }, (_, at) => at)
    expect(cutWindows(tokens, { length: 4, bos: 99 }, 'text').map((window) => [...window])).toEqual([[99, 1, 2, 3], [99, 5, 6, 7]])
    expect(cutWindows(tokens, { length: 4, windows: 1 }, 'text').map((window) => [...window])).toEqual([[0, 1, 2, 3]])
    expect(() => cutWindows(tokens, { length: 12 }, 'a.txt')).toThrow('a.txt: found 11 tokens, expected at least 12')
  })
})

describe('statistics', () => {
  it('takes the standard error of the mean and interpolated quantiles', () => {
    expect(meanAndError(Float64Array.of(1, 2, 3, 6))).toEqual({ mean: 3, stderr: Math.sqrt(14 / 3 / 4) })
    expect(quantile(Float64Array.of(4, 1, 3, 2), 0.5)).toBe(2.5)
    expect(quantile(Float64Array.of(10, 20), 0.99)).toBeCloseTo(19.9, 9)
  })
})
