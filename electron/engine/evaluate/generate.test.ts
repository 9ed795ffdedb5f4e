import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { decoderGenerator } from './decoder-generator.ts'
import { generate } from './generate.ts'
import { chooseToken, createRandom } from './sampling.ts'

const goldens = path.join(import.meta.dirname, '..', 'session', 'goldens')
const tokens = Int32Array.from(index.tokens[0] ?? [])
const TOLERANCE = 5e-6

function likeliest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits))
}

describe('a cache of keys and values', () => {
  it.each(index.models.map(({ name }) => name))('%s: gives the logits of transformers token by token', async (name) => {
    const bytes = await readFile(path.join(goldens, name, 'logits.bin'))
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    const model = await openDecoder(path.join(goldens, name), silent)
    const generator = decoderGenerator(model, { threads: 1, memoryBytes: 0 })
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    for (let end = 15; end <= tokens.length; end += end < 20 ? 1 : 2) {
      const logits = await generator.next(tokens.subarray(end === 15 ? 0 : end <= 20 ? end - 1 : end - 2, end), tokens.length)
      logits.forEach((value, token) => expect(Math.abs(value - (expected[(end - 1) * index.vocabulary + token] ?? NaN)) / largest).toBeLessThan(TOLERANCE))
    }
    generator.dispose()
    await model.close()
  })
})

describe('several texts side by side', () => {
  it.each(index.models.map(({ name }) => name))('%s: get the logits that each gets alone', async (name) => {
    const model = await openDecoder(path.join(goldens, name), silent)
    const texts = index.tokens.map((text) => Int32Array.from(text))
    const alone = texts.map(() => decoderGenerator(model, { threads: 1 }))
    const together = decoderGenerator(model, { threads: 1, count: texts.length })
    for (const [first, last] of [[0, 15], [15, 16], [16, 18]]) {
      const parts = texts.map((text) => text.slice(first, last))
      const logits = await together.next(Int32Array.from(parts.flatMap((part) => [...part])), tokens.length)
      for (const [at, part] of parts.entries()) {
        const expected = await alone[at].next(part, tokens.length)
        const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        expected.forEach((value, token) => expect(Math.abs((logits[at * index.vocabulary + token] ?? NaN) - value) / largest).toBeLessThan(TOLERANCE))
      }
    }
    for (const generator of [...alone, together]) generator.dispose()
    await model.close()
  })
})

describe('decoderGenerator', () => {
  it.each([[1 << 20, 2], [0, 4], [undefined, 2]])('with %s bytes for weights reads %i blocks for two tokens', async (memoryBytes, expected) => {
    const model = await openDecoder(path.join(goldens, 'llama'), silent)
    const source = openProgram(model, { threads: 1 })
    const read: number[] = []
    const weights = (block: number) => {
      read.push(block)
      return source.weights(block)
    }
    const generator = decoderGenerator(model, { threads: 1, weights, ...(memoryBytes !== undefined && { memoryBytes }) })
    await generator.next(tokens.subarray(0, 3), 8)
    await generator.next(tokens.subarray(3, 4), 8)
    expect(read).toHaveLength(expected)
    generator.dispose()
    source.dispose()
    await model.close()
  })
})

describe('generate', () => {
  it('greedily gives what the whole model gives without a cache', async () => {
    const model = await openDecoder(path.join(goldens, 'llama'), silent)
    const program = openProgram(model, { threads: 1 })
    const expected: number[] = [...tokens.subarray(0, 5)]
    while (expected.length < 11) {
      let hidden = await program.embed(Int32Array.from(expected))
      for (let block = 0; block < program.blocks; block++) hidden = await program.run(block, hidden, await program.weights(block))
      expected.push(likeliest((await program.logits(await program.finish(hidden))).slice(-index.vocabulary)))
    }
    const streamed: number[] = []
    const generator = decoderGenerator(model, { threads: 1 })
    const made = await generate(generator, tokens.subarray(0, 5), { tokens: 6, temperature: 0, topP: 1, seed: 0 }, (id) => streamed.push(id), silent)
    expect([...made]).toEqual(expected.slice(5))
    expect(streamed).toEqual([...made])
    generator.dispose()
    program.dispose()
    await model.close()
  })

  const scripted = (ids: readonly number[]) => {
    let step = 0
    const next = (): Promise<Float32Array> => {
      const id = ids[step++]
      return Promise.resolve(Float32Array.from({ length: 8 }, (_, token) => (token === id ? 1 : 0)))
    }
    return { vocabulary: 8, contextLength: 6, next, dispose: () => undefined }
  }
  const greedy = { tokens: 9, temperature: 0, topP: 1, seed: 0 }
  it('stops at a stop token and at the end of the context', async () => {
    expect([...(await generate(scripted([3, 4, 7, 5]), Int32Array.of(1), { ...greedy, stop: [7] }, () => undefined, silent))]).toEqual([3, 4])
    expect([...(await generate(scripted([3, 4, 5, 6]), Int32Array.of(1, 2, 3), greedy, () => undefined, silent))]).toEqual([3, 4, 5])
    await expect(generate(scripted([]), Int32Array.of(1, 2, 3, 4, 5, 6), greedy, () => undefined, silent)).rejects.toThrow('found 6 tokens, expected fewer than 6')
  })
})

describe('chooseToken', () => {
  const logits = Float32Array.from([Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05)])
  const frequencies = (options: { temperature: number; topP: number }): number[] => {
    const random = createRandom(5)
    const counts = [0, 0, 0, 0]
    for (let draw = 0; draw < 20_000; draw++) counts[chooseToken(logits, options, random)] += 1
    return counts.map((count) => count / 20_000)
  }
  it('draws with the probabilities of the logits', () => {
    frequencies({ temperature: 1, topP: 1 }).forEach((found, token) => expect(Math.abs(found - ([0.5, 0.3, 0.15, 0.05][token] ?? 0))).toBeLessThan(0.012)) // 3.4 standard errors
  })
  it('sharpens with a low temperature', () => {
    const weights = [0.25, 0.09, 0.0225, 0.0025]
    frequencies({ temperature: 0.5, topP: 1 }).forEach((found, token) => expect(Math.abs(found - (weights[token] ?? 0) / 0.365)).toBeLessThan(0.012))
  })
  it('keeps the tokens that hold the share, and at least one', () => {
    expect(frequencies({ temperature: 1, topP: 0.79 }).map((share) => share > 0)).toEqual([true, true, false, false])
    expect(frequencies({ temperature: 1, topP: 0.81 }).map((share) => share > 0)).toEqual([true, true, true, false])
    expect(frequencies({ temperature: 1, topP: 0.01 })).toEqual([1, 0, 0, 0])
  })
  it('takes the first of equal logits at temperature 0', () => {
    expect(chooseToken(Float32Array.of(1, 4, 4), { temperature: 0, topP: 1 }, () => 0.9)).toBe(1)
  })
  it('repeats with the seed', () => {
    const draw = (seed: number): number[] => {
      const random = createRandom(seed)
      return Array.from({ length: 30 }, () => chooseToken(logits, { temperature: 1, topP: 1 }, random))
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })
})
