/** @file How long the sample model takes to be evaluated on all of its validation text, and how fast it generates. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { silent } from '../../contract/events.ts'
import { openTokenizer } from '../io/tokenizer.ts'
import { observe } from '../job/monitor.ts'
import { openDecoder } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { evaluableDecoder } from './decoder.ts'
import { generate } from './generate.ts'
import { openGenerator } from './open.ts'
import { evaluate } from './perplexity.ts'
import { cutWindows } from './windows.ts'

const sample = path.join(import.meta.dirname, '..', '..', '..', 'assets', 'sample-model')
const generated = 100
const passes = 20

export async function bench(): Promise<readonly Record<string, unknown>[]> {
  return [await benchEvaluate(), await benchBlock(), await benchGenerate()]
}

async function benchEvaluate(): Promise<Record<string, unknown>> {
  const tokens = await (await openTokenizer(sample)).encode(await readFile(path.join(sample, 'validation.txt'), 'utf8'))
  const windows = cutWindows(tokens, { length: 512 }, 'validation.txt')
  const model = evaluableDecoder(await openDecoder(sample, silent))
  const cpu = process.cpuUsage()
  const finish = observe()
  const { perplexity } = await evaluate({ model, windows }, silent)
  const observed = finish()
  const { user, system } = process.cpuUsage(cpu)
  await model.close()
  return { what: 'evaluate', windows: windows.length, length: 512, perplexity, cpuMs: Math.round((user + system) / 1000), ...observed }
}

/** One window through one block: alone, with all taps, and only as far as each tap. */
async function benchBlock(): Promise<Record<string, unknown>> {
  const model = await openDecoder(sample, silent)
  const program = openProgram(model, { threads: 1 })
  const weights = await program.weights(0)
  const hidden = await program.embed(Int32Array.from({ length: 512 }, (_, at) => (at * 37) % model.spec.vocabulary))
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    await work()
    const begun = performance.now()
    for (let pass = 0; pass < passes; pass++) await work()
    return (performance.now() - begun) / passes
  }
  const result: Record<string, unknown> = { what: 'block', length: 512, threads: 1, ms: await timed(() => program.run(0, hidden, weights)), tappedMs: await timed(() => program.runTapped(0, hidden, weights)) }
  for (const tap of ['qkv', 'o', 'mlp', 'down'] as const) result[`${tap}Ms`] = await timed(() => program.tap(0, hidden, weights, tap))
  program.dispose()
  await model.close()
  return result
}

async function benchGenerate(): Promise<Record<string, unknown>> {
  const { generator, tokenizer, close } = await openGenerator(sample, silent)
  const prompt = await tokenizer.encode('In the beginning')
  const options = { temperature: 0, topP: 1, seed: 0 }
  await generator.next(prompt, 512)
  const begun = performance.now()
  await generate(generator, prompt, { ...options, tokens: generated }, () => undefined, silent)
  const ms = performance.now() - begun
  await close()
  return { what: 'generate', tokens: generated, tokensPerSecond: (generated / ms) * 1000 }
}
