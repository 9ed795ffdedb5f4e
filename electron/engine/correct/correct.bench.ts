/**
 * @file Bits, ranks, stored scales, codes, or both, at equal bytes of the whole model: the sample model at the size of llama.cpp's Q2_K file
 * and at 80 % of it. Every row says which share of the gap to the original (KL, perplexity) it closes against bits alone; rows that
 * lose stay in the table. HALFTONE_BENCH_STEPS shortens training, HALFTONE_BENCH_SHARE takes one size alone.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { silent } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import type { CompressReport } from '../../contract/report.ts'
import type { TrainableSet } from '../../contract/training.ts'
import { createEngine } from '../engine.ts'
import { SMALL_CE_WEIGHT } from '../train/trainings.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const smallest = 2_733_344
const ranks = [4, 8]
const steps = Number(process.env.HALFTONE_BENCH_STEPS ?? 300)
const shares = process.env.HALFTONE_BENCH_SHARE === undefined ? [1, 0.8] : [Number(process.env.HALFTONE_BENCH_SHARE)]
/** The same weight of the data for all, so that rows differ in what they train alone. */
const training = { steps, batch: 2, length: 256, windows: 1024, ceWeight: SMALL_CE_WEIGHT }
const samples = Number(process.env.HALFTONE_BENCH_SAMPLES ?? 48)

interface Case {
  readonly name: string
  readonly correction: Recipe['correction']
  readonly ranks: readonly number[]
  /** What is trained; by the correction where it is missing. */
  readonly trainable?: readonly TrainableSet[]
}

const cases: readonly Case[] = [
  { name: 'bits', correction: 'none', ranks: [0] },
  { name: 'rank 4 everywhere, closed form', correction: 'eora', ranks: [4] },
  { name: 'rank 4 everywhere, trained', correction: 'lrec', ranks: [4] },
  { name: 'scales and norms, trained', correction: 'scales', ranks: [0] },
  { name: 'codes, scales and norms, trained', correction: 'codes', ranks: [0] },
  { name: 'bits or rank by the allocator, adapters, scales and norms trained', correction: 'lrec', ranks: [0, ...ranks] },
  { name: 'bits or rank by the allocator, codes trained too', correction: 'lrec', ranks: [0, ...ranks], trainable: ['adapters', 'scales', 'norms', 'codes'] },
]

function shareClosed(of: 'klMean' | 'perplexity', { perplexityReference = 0, ...report }: CompressReport, bits: CompressReport): number {
  const ideal = of === 'perplexity' ? perplexityReference : 0
  return 1 - ((report[of] ?? NaN) - ideal) / ((bits[of] ?? NaN) - ideal)
}

/** One row a size and case. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const engine = createEngine()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-correct-'))
  const results: Record<string, unknown>[] = []
  try {
    const measured = await engine.measure({ model: sample, data: path.join(sample, 'calibration.txt'), samples, rounder: 'guided', target: 'gguf', metric: 'kl-scaled', correction: 'eora', ranks, out: path.join(folder, 'sensitivity.json') }, silent)
    for (const bytes of shares.map((share) => Math.round(share * smallest))) {
      let bits: CompressReport | null = null
      for (const [index, { name, correction, ranks: allowed, trainable }] of cases.entries()) {
        const { recipe } = await engine.plan({ model: sample, measured, target: 'gguf', budget: { kind: 'bytes', value: bytes }, correction, ranks: [...allowed], training: { ...training, ...(trainable && { trainable: [...trainable] }) } }, silent)
        const out = path.join(folder, `${bytes}-${index}`)
        const report = await engine.run({ recipe, folder: path.join(out, 'job'), out, text: path.join(sample, 'validation.txt') }, silent)
        bits ??= report
        results.push({
          name, budgetBytes: bytes, bytes: report.sizeBytes, klMean: report.klMean, klStderr: report.klStderr, perplexity: report.perplexity, sameTop: report.sameTop,
          layersWithRank: recipe.choice.filter(({ rank }) => rank > 0).length, klShareClosed: shareClosed('klMean', report, bits), perplexityShareClosed: shareClosed('perplexity', report, bits), steps, seconds: report.elapsedMs / 1000,
        })
        process.stderr.write(`${JSON.stringify(results.at(-1))}\n`)
      }
    }
  } finally {
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
  return results
}
