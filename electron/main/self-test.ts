/**
 * @file `--self-test`: proves that a packaged app finds its engine, kernels, runtime, solver and sample, by a small compression
 * from the sample to a GGUF that generates text. Prints one line of JSON; 0 where all of it worked, else 1.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { errorFields } from '../contract/errors.ts'
import type { EngineHost } from './engine-host.ts'

/** Enough to evaluate on in a second. */
const heldOutCharacters = 3000

export async function selfTest(engine: Pick<EngineHost, 'call'>, sample: string, print: (line: string) => void): Promise<0 | 1> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-self-test-'))
  try {
    const { layers, parameters } = await engine.call('inspect', { model: sample })
    const measured = await engine.call('measure', {
      model: sample, data: path.join(sample, 'calibration.txt'), metric: 'imatrix', rounder: 'nearest', target: 'gguf', options: ['Q4_K', 'Q6_K', 'Q8_0'], samples: 2, length: 64,
      out: path.join(folder, 'sensitivity.json'),
    })
    const { recipe } = await engine.call('plan', { model: sample, measured, target: 'gguf', budget: { kind: 'bits', value: 6 }, allocator: 'milp' })
    const text = path.join(folder, 'text.txt')
    await writeFile(text, (await readFile(path.join(sample, 'validation.txt'), 'utf8')).slice(0, heldOutCharacters))
    const { output, sizeBytes } = await engine.call('run', { recipe, folder: path.join(folder, 'job'), out: path.join(folder, 'out'), text })
    const { tokens } = await engine.call('generate', { model: output, prompt: 'The', tokens: 4 })
    print(JSON.stringify({ ok: true, layers: layers.length, parameters, sizeBytes, predictedBytes: recipe.predicted.sizeBytes, tokens }))
    return 0
  } catch (cause) {
    print(JSON.stringify({ ok: false, error: errorFields(cause) }))
    return 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
