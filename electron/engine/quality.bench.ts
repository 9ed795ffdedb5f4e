/**
 * @file Quality at equal bytes: the sample model compressed to the sizes of llama.cpp's own files (quality-reference.json), mean KL
 * on the validation text; and at the smallest size what rounding alone, allocation alone, both, and plain GPTQ bring.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { silent } from '../contract/events.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Sensitivity } from '../contract/sensitivity.ts'
import { createEngine } from './engine.ts'
import reference from './quality-reference.json' with { type: 'json' }

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
const samples = 48

/** llama.cpp's Q2_K mix for a model of this shape: what each layer is given without any measurement. */
const handMix: Readonly<Record<string, string>> = { embedding: 'Q6_K', 'blocks.*.v': 'Q3_K', 'blocks.*.o': 'Q3_K', 'blocks.*.down': 'Q3_K', 'blocks.*.q': 'Q2_K', 'blocks.*.k': 'Q2_K', 'blocks.*.gate': 'Q2_K', 'blocks.*.up': 'Q2_K' }

/** What a file of ours holds beside the weights and llama.cpp's does not: the recipe. The hand-made mix leaves no layer to make up for it. */
const recipeBytes = 4096

/** One row a file: ours and llama.cpp's KL at no more bytes. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const engine = createEngine()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-quality-'))
  const data = path.join(sample, 'calibration.txt')
  const measure = (rounder: Recipe['rounder']): Promise<Sensitivity> =>
    engine.measure({ model: sample, data, samples, rounder, target: 'gguf', metric: 'kl-scaled', out: path.join(folder, `${rounder}.json`) }, silent)
  const results: Record<string, unknown>[] = []
  try {
    const begun = performance.now()
    const maps = { guided: await measure('guided'), gptq: await measure('gptq'), search: await measure('search') }
    results.push({ name: 'three measurements', seconds: (performance.now() - begun) / 1000 })
    const [smallest] = reference.files
    const cases = [
      ...reference.files.map((file) => ({ name: `guided GPTQ and allocation, ${file.type} size`, map: maps.guided, file, pins: {} })),
      ...(smallest ? [
        { name: `GPTQ and allocation, ${smallest.type} size`, map: maps.gptq, file: smallest, pins: {} },
        { name: `allocation alone, ${smallest.type} size`, map: maps.search, file: smallest, pins: {} },
        { name: `guided GPTQ alone, ${smallest.type} mix`, map: maps.guided, file: smallest, pins: handMix },
        { name: `neither, ${smallest.type} mix`, map: maps.search, file: smallest, pins: handMix },
      ] : []),
    ]
    for (const [index, { name, map, file, pins }] of cases.entries()) {
      const { recipe } = await engine.plan({ model: sample, measured: map, target: 'gguf', budget: { kind: 'bytes', value: file.bytes + (pins === handMix ? recipeBytes : 0) }, pins }, silent)
      const out = path.join(folder, String(index))
      const report = await engine.run({ recipe, folder: path.join(out, 'job'), out, text: path.join(sample, 'validation.txt') }, silent)
      const comparable = recipe.model.sha256 === reference.modelSha256
      results.push({
        name, bytes: report.sizeBytes, klMean: report.klMean, klStderr: report.klStderr, perplexity: report.perplexity, sameTop: report.sameTop, seconds: report.elapsedMs / 1000,
        eventLoopMaxMs: report.eventLoopMaxMs, peakMemoryBytes: report.peakMemoryBytes, predictedLoss: report.predicted.loss,
        ...(comparable && { klOfLlamaCpp: file.klMean, ratio: (report.klMean ?? NaN) / file.klMean }),
      })
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return results
}
