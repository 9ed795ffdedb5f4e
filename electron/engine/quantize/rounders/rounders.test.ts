import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { kernels } from '../../../../kernels/kernels.ts'
import { silent } from '../../../contract/events.ts'
import type { Recipe } from '../../../contract/recipe.ts'
import { addInputs, emptyStatistics } from '../../calibrate/statistics.ts'
import { createEngine } from '../../engine.ts'
import { withFolder } from '../../io/temporary-folder.ts'
import { roundingStatistics } from './rounder.ts'
import { rounders, runRounders } from './rounders.ts'

const shape = { rows: 32, cols: 256 }
/** Numbers without a pattern that a format could hold. */
const noise = (length: number, seed: number): Float32Array => Float32Array.from({ length }, (_, at) => Math.sin((at + 1) * 12.9898 + seed * 78.233))

it('loses less in a run than in a measurement, where errors are fed back', async () => {
  const statistics = emptyStatistics(shape.cols)
  const shared = noise(512, 1)
  await addInputs(statistics, noise(512 * shape.cols, 2).map((value, at) => value + 2 * shared[Math.floor(at / shape.cols)]))
  const weights = noise(shape.rows * shape.cols, 3)
  for (const name of ['gptq', 'guided'] as const) {
    const losses = await Promise.all([rounders[name], runRounders[name]].map(async (rounder) => {
      const dense = new Float32Array(weights.length)
      await kernels().decode('Q2_K', shape, await rounder('Q2_K', shape, weights, roundingStatistics(statistics)), dense)
      return kernels().outputError(weights, dense, shape, statistics.hessian)
    }))
    expect(losses[1], name).toBeLessThan(losses[0])
  }
})

it('weighs tokens in measurements and in runs where it is guided', () => withFolder(async (folder) => {
  const model = path.resolve(import.meta.dirname, '../../../../assets/sample-model')
  const engine = createEngine()
  async function outcome(rounder: Recipe['rounder']): Promise<{ loss: number; layer: Buffer; embedding: Buffer }> {
    const out = path.join(folder, rounder)
    const measured = await engine.measure({ model, data: path.join(model, 'calibration.txt'), samples: 2, length: 64, rounder, target: 'gguf', metric: 'layer-output', options: ['Q4_K'], out: path.join(out, 'map.json') }, silent)
    const { recipe } = await engine.plan({ model, measured, target: 'gguf', budget: { kind: 'bits', value: 5 } }, silent)
    await engine.run({ recipe, folder: path.join(out, 'job'), out, text: path.join(model, 'LICENSES.txt') }, silent)
    return { loss: measured.layers.find(({ name }) => name === 'blocks.2.q')?.options.Q4_K?.value ?? NaN, layer: await readFile(path.join(out, 'job/tensors/blocks.2.q.bin')), embedding: await readFile(path.join(out, 'job/tensors/embedding.bin')) }
  }
  const [plain, guided] = [await outcome('gptq'), await outcome('guided')]
  await engine.close()
  expect(Math.abs(guided.loss / plain.loss - 1)).toBeGreaterThan(0.01)
  expect(guided.layer.equals(plain.layer)).toBe(false)
  expect(guided.embedding.equals(plain.embedding)).toBe(false)
}))
