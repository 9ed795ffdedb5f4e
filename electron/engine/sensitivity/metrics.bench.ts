/**
 * @file Which metric predicts best: the predicted losses of random mixed configurations of the sample model against their measured
 * KL (EMQ's lesson: a proxy is only as good as its rank correlation), with the time each metric takes.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { kernels } from '../../../kernels/kernels.ts'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { MeasuredLayer } from '../../contract/sensitivity.ts'
import type { BlockWeights } from '../calibrate/runner.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { cutWindows } from '../evaluate/windows.ts'
import { openTokenizer } from '../io/tokenizer.ts'
import type { BlockLayer } from '../model.ts'
import { search } from '../quantize/rounders/search.ts'
import { openDecoder } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { openProgram } from '../session/program.ts'
import { optionBytes } from '../budget/option-bytes.ts'
import { measureDecoder } from './measure-decoder.ts'
import { metrics } from './metrics/metrics.ts'
import { spearman } from './spearman.ts'
import { divergences, logitsOf, meanOf } from './streams.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const options: readonly CodecName[] = ['Q2_K', 'Q3_K', 'Q4_K', 'Q6_K']
const configurations = 36
const length = 512
const calibrationWindows = 16
const scoredWindows = 4

async function windowsOf(file: string, windows: number): Promise<readonly Int32Array[]> {
  const tokenizer = await openTokenizer(sample)
  return cutWindows(await tokenizer.encode(await readFile(path.join(sample, file), 'utf8')), { length, windows }, file)
}

/** One row a metric: Spearman's ρ over the configurations, and the seconds its measurement took. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const model = await openDecoder(sample, silent)
  const program = openProgram(model)
  const windows = await windowsOf('calibration.txt', calibrationWindows)
  const held = await windowsOf('validation.txt', scoredWindows)

  const dense = new Map<string, Float32Array>()
  for (const { name, shape: [rows, cols] } of model.layers) {
    const weights = await model.readWeight(name)
    for (const option of options) {
      const out = new Float32Array(weights.length)
      await kernels().decode(option, { rows, cols }, await search(option, { rows, cols }, weights, null), out)
      dense.set(`${name} ${option}`, out)
    }
  }

  /** Measured KL of the model with every layer at the option chosen. */
  async function divergence(choice: ReadonlyMap<string, CodecName>): Promise<number> {
    const weightsOf = (name: string): Float32Array | undefined => dense.get(`${name} ${choice.get(name) ?? ''}`)
    const table = weightsOf('embedding')
    const parts: Float64Array[] = []
    for (const window of held) {
      let [clean, changed] = [await program.embed(window), await program.embed(window, table)]
      for (let block = 0; block < program.blocks; block++) {
        const original = await program.weights(block)
        const replaced: BlockWeights = Object.fromEntries(Object.keys(original).map((part) => [part as BlockLayer, weightsOf(`blocks.${block}.${part}`)]))
        clean = await program.run(block, clean, original)
        changed = await program.run(block, changed, replaced)
      }
      parts.push(await divergences(await logitsOf(program, clean), await logitsOf(program, changed, table), program.vocabulary))
    }
    return meanOf(Float64Array.from(parts.flatMap((part) => [...part]))).value
  }

  const random = createRandom(1)
  const choices = Array.from({ length: configurations }, () => new Map(model.layers.map(({ name }) => [name, options[Math.floor(random() * options.length)] ?? 'Q4_K'])))
  const measured: number[] = []
  for (const choice of choices) measured.push(await divergence(choice))

  const results: Record<string, unknown>[] = []
  for (const [name, metric] of Object.entries(metrics)) {
    const begun = performance.now()
    const layers: MeasuredLayer[] = await measureDecoder({
      layers: model.layers, runner: program, windows, probeWindows: 4, metric, rounder: search, readWeight: model.readWeight, known: new Map(), save: () => Promise.resolve(),
      optionsOf: (layer) => ({ excluded: {}, options: options.flatMap((option) => { const size = optionBytes('gguf', layer, option); return 'bytes' in size ? [{ name: option, bytes: size.bytes }] : [] }) }),
      park: (count) => openPark({ windows: count, slotBytes: length * model.spec.hidden * 4, memoryBytes: Infinity }),
    }, silent)
    const seconds = (performance.now() - begun) / 1000
    const predicted = choices.map((choice) => layers.reduce((sum, layer) => sum + (layer.options[choice.get(layer.name) ?? '']?.value ?? NaN), 0))
    results.push({ metric: name, spearman: spearman(predicted, measured), seconds, configurations })
  }
  program.dispose()
  await model.close()
  return results
}
