import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { LayerAdapter } from '../correct/adapter.ts'
import { adapterSource } from '../correct/adapter-source.ts'
import { mergeBlock } from '../correct/merge.ts'
import { roundBranch } from '../correct/round-branch.ts'
import { adapterBytes, type AdapterStorage } from '../correct/adapter-storage.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { onnxExporter } from './onnx-decoder.ts'
import { openOnnxDecoder } from './onnx-open.ts'
import { chooseByTurns, decodeLayer, encodeLayers, provenance, smallTokenizer } from './testing.ts'

const goldens = path.join(import.meta.dirname, '../session/goldens')
const tokens = Int32Array.from({ length: 12 }, (_, at) => (at * 17) % 90)
/** Of the largest logit: the same values through other kernels in float32. */
const TOLERANCE = 1e-4
const ranks = new Map([['blocks.0.q', 2], ['blocks.0.down', 3], ['blocks.1.v', 1], ['blocks.1.gate', 4], ['blocks.1.up', 4]])

function randomBranch(model: DecoderModel, layer: string, rank: number): LayerAdapter {
  const random = createRandom(rank + layer.length)
  const [rows, cols] = model.layers.find(({ name }) => name === layer)?.shape ?? [0, 0]
  const values = (count: number): Float32Array => Float32Array.from({ length: count }, () => (random() - 0.5) * 0.6)
  return { layer, rank, alpha: 2 * rank, a: values(rank * cols), b: values(rows * rank) }
}

describe.each(['llama', 'gpt2', 'gemma2'])('%s', (name) => {
  test.each(['float16', 'int8'] as const)('with %s branches, stock ONNX Runtime gives the logits of the merged weights', async (storage: AdapterStorage) => {
    await withFolder(async (out) => {
      const model = await openDecoder(path.join(goldens, name), silent)
      const options: readonly CodecName[] = ['int4-g32', 'int8-g32', 'F16']
      const choice = chooseByTurns(model, 'onnx', options).map((one) => ({ ...one, rank: ranks.get(one.name) ?? 0 }))
      const adapter = new Map<string, LayerAdapter>()
      for (const { name: layer, rank } of choice) if (rank > 0) adapter.set(layer, randomBranch(model, layer, rank))
      const blob = await encodeLayers(model, choice)
      const exporter = onnxExporter({ accuracy: 'exact' })
      const task = { model, tokenizer: smallTokenizer(), provenance: { ...provenance, adapterStorage: storage }, choice, blob, adapter: adapterSource(adapter), out }
      const exported = await exporter.write(task, silent)
      expect(await exporter.size(task, choice)).toBe(exported.sizeBytes)
      const plain = choice.map((one) => ({ ...one, rank: 0 }))
      const added = exported.sizeBytes - (await exporter.size(task, plain))
      const stored = choice.reduce((sum, { name: layer, rank }) => sum + adapterBytes('onnx', storage, rank, model.layers.find((one) => one.name === layer)?.shape ?? [0, 0]), 0)
      expect(added).toBeGreaterThan(stored)
      expect(added).toBeLessThan(stored + 2500 * adapter.size) // nodes and alignment

      const held = new Map<string, LayerAdapter>()
      for (const [layer, branch] of adapter) held.set(layer, await roundBranch(branch, storage, 'onnx'))
      const program = openProgram(model, { threads: 1 })
      const dense = async (layer: string): Promise<Float32Array> => {
        const chosen = choice.find((one) => one.name === layer)
        return chosen ? decodeLayer(model, chosen, blob) : new Float32Array()
      }
      let hidden = await program.embed(tokens, await dense('embedding'))
      for (let block = 0; block < program.blocks; block++) {
        const weights: Record<string, Float32Array> = {}
        for (const layer of model.layers) if (layer.block === block) weights[layer.name.split('.')[2] ?? ''] = await dense(layer.name)
        hidden = await program.run(block, hidden, await mergeBlock(block, weights, held))
      }
      const expected = await program.logits(await program.finish(hidden), await dense(model.spec.tied ? 'embedding' : 'head'))
      program.dispose()
      await model.close()

      const decoder = await openOnnxDecoder(exported.path, { threads: 1 })
      const actual = await decoder.logits(tokens)
      decoder.close()
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(actual).toHaveLength(expected.length)
      expect(actual.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (expected[at] ?? NaN))), 0) / largest).toBeLessThan(TOLERANCE)
    })
  })
})
