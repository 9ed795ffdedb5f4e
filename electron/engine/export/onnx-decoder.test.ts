import { copyFile, mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { kernels } from '../../../kernels/kernels.ts'
import type { CodecName } from '../../contract/options.ts'
import { silent } from '../../contract/events.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { optionBytes } from '../budget/option-bytes.ts'
import { readModel } from '../graph/read.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { createTokenizer } from '../io/tokenizer.ts'
import { checkTokenizer } from '../io/tokenizer-file.ts'
import type { Layer } from '../model.ts'
import goldens from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import type { ExportTask, Provenance } from './exporter.ts'
import { onnxExporter } from './onnx-decoder.ts'
import { openOnnxDecoder } from './onnx-open.ts'

const goldenFolder = path.join(import.meta.dirname, '../session/goldens')
/** Of the largest logit: the same values through other kernels in float32. */
const TOLERANCE = 1e-4
const mix: readonly CodecName[] = ['int4-g32', 'int8-g32', 'int2-g32', 'int4-g32-sym', 'F32', 'int8-g32-sym', 'F16', 'int2-g32-sym']

/** Options in turn, F16 where the columns do not divide. */
function mixedChoice(layers: readonly Layer[]): LayerChoice[] {
  return layers.map((layer, at) => {
    const option = [mix[at % mix.length], 'F16'].find((name) => 'bytes' in optionBytes('onnx', layer, name ?? '')) ?? 'F16'
    const size = optionBytes('onnx', layer, option)
    return { name: layer.name, option, rank: 0, bytes: 'bytes' in size ? size.bytes : 0, predictedLoss: 0 }
  })
}

const provenance: Provenance = {
  tool: 'halftone test', model: { path: 'model', sha256: 'aa' }, data: null, target: 'onnx', budget: { kind: 'bits', value: 4 }, pins: {}, metric: 'none', rounder: 'nearest', correction: 'none', seed: 0,
}

interface Quantized { readonly bytes: Uint8Array; readonly dense: Float32Array }

async function quantize(model: DecoderModel, choice: readonly LayerChoice[]): Promise<Map<string, Quantized>> {
  const made = new Map<string, Quantized>()
  for (const [at, { name, shape: [rows, cols] }] of model.layers.entries()) {
    const codec = choice[at]?.option as CodecName
    const bytes = new Uint8Array(kernels().codecBytes(codec, { rows, cols }))
    await kernels().encode(codec, { rows, cols }, await model.readWeight(name), null, 'search', bytes)
    const dense = new Float32Array(rows * cols)
    await kernels().decode(codec, { rows, cols }, bytes, dense)
    made.set(name, { bytes, dense })
  }
  return made
}

/** Logits of the in-app program with the quantized weights in place of the model's. */
async function expectedLogits(model: DecoderModel, quantized: ReadonlyMap<string, Quantized>, tokens: Int32Array): Promise<Float32Array> {
  const program = openProgram(model, { threads: 1 })
  const denseOf = (name: string): Float32Array => quantized.get(name)?.dense ?? new Float32Array()
  let hidden = await program.embed(tokens, denseOf('embedding'))
  for (let block = 0; block < program.blocks; block++) {
    const weights = Object.fromEntries(model.layers.filter((layer) => layer.block === block).map(({ name }) => [name.split('.').at(-1) ?? '', denseOf(name)]))
    hidden = await program.run(block, hidden, weights)
  }
  const logits = await program.logits(await program.finish(hidden), denseOf(model.spec.tied ? 'embedding' : 'head'))
  program.dispose()
  return logits
}

function difference(actual: Float32Array, expected: Float32Array): number {
  expect(actual).toHaveLength(expected.length)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return actual.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (expected[at] ?? NaN))), 0) / largest
}

/** Every id a letter of its own; enough to make an export's tokenizer files. */
function letters(vocabulary: number): ReturnType<typeof createTokenizer> {
  const vocab = Object.fromEntries(Array.from({ length: vocabulary }, (_, id) => [String.fromCodePoint(0x100 + id), id]))
  return createTokenizer(checkTokenizer('test', { model: { type: 'BPE', vocab, merges: [] } }, { eos_token: 'Ā' }))
}

const variants = goldens.models.flatMap(({ name, variants: more }) => [{ model: name, variant: 'config' }, ...more.map((variant) => ({ model: name, variant: variant.name }))])

describe.each(variants)('$model $variant', ({ model: name, variant }) => {
  test('stock ONNX Runtime gives the logits of the program with the same weights, whole and step by step', async () => {
    await withFolder(async (folder) => {
      const source = path.join(folder, 'source')
      await mkdir(source)
      for (const [from, to] of [[`${variant}.json`, 'config.json'], ['model.safetensors', 'model.safetensors']] as const) {
        await copyFile(path.join(goldenFolder, name, from), path.join(source, to))
      }
      const model = await openDecoder(source, silent)
      const choice = mixedChoice(model.layers)
      const quantized = await quantize(model, choice)
      const exporter = onnxExporter({ accuracy: 'exact' })
      const task = { model, tokenizer: letters(model.spec.vocabulary), provenance, choice, out: path.join(folder, 'out'), blob: (layer: string) => Promise.resolve(quantized.get(layer)?.bytes ?? new Uint8Array()) }
      const exported = await exporter.write(task, silent)
      expect(exported.sizeBytes).toBe(await exporter.size(task, choice))
      const decoder = await openOnnxDecoder(exported.path, { threads: 1 })
      expect(decoder.sizeBytes).toBe(exported.sizeBytes)
      const tokens = Int32Array.from(goldens.tokens[0] ?? [])
      const expected = await expectedLogits(model, quantized, tokens)
      const whole = await decoder.logits(tokens)
      expect(difference(whole, expected)).toBeLessThan(TOLERANCE)
      if (!/dynamic|long/.test(variant)) { // their frequencies change as the context grows, so that earlier keys differ
        const vocabulary = model.spec.vocabulary
        const first = await decoder.step(tokens.subarray(0, 11), null)
        const second = await decoder.step(tokens.subarray(11, 12), first.cache)
        const third = await decoder.step(tokens.subarray(12), second.cache)
        const steps = new Float32Array([...first.logits, ...second.logits, ...third.logits])
        expect(difference(steps, whole)).toBeLessThan(TOLERANCE)
        expect(third.cache.length).toBe(tokens.length)
        expect(steps).toHaveLength(tokens.length * vocabulary)
      }
      decoder.close()
      await model.close()
    })
  })
})

/** The golden model opened with a mixed choice and its tensors quantized. */
async function prepared(name: string): Promise<{ model: DecoderModel; task: Omit<ExportTask, 'out'> }> {
  const model = await openDecoder(path.join(goldenFolder, name), silent)
  const choice = mixedChoice(model.layers)
  const quantized = await quantize(model, choice)
  const blob = (layer: string): Promise<Uint8Array> => Promise.resolve(quantized.get(layer)?.bytes ?? new Uint8Array())
  return { model, task: { model, tokenizer: letters(model.spec.vocabulary), provenance, choice, blob } }
}

test('stock operators only, none that widens quantized weights as a whole, and the accuracy of every product said', async () => {
  await withFolder(async (folder) => {
    const { model, task } = await prepared('llama')
    await onnxExporter().write({ ...task, out: folder }, silent)
    const graph = await readModel(path.join(folder, 'model.onnx'))
    expect(Object.keys(graph.opset).sort()).toEqual(['', 'com.microsoft'])
    expect(graph.nodes.map(({ op }) => op)).not.toContain('DequantizeLinear')
    const casts = graph.nodes.filter(({ op, inputs }) => op === 'Cast' && graph.initializers.has(inputs[0])).map(({ inputs }) => inputs[0])
    for (const name of casts) expect(name).toMatch(/\.(scales|weight)$/)
    const products = graph.nodes.filter(({ op }) => op === 'MatMulNBits')
    expect(products.length).toBeGreaterThan(5)
    for (const { attributes } of products) expect(attributes.accuracy_level).toEqual({ int: attributes.bits !== undefined && 'int' in attributes.bits && attributes.bits.int === 4 ? 0 : 4 })
    expect(JSON.parse(graph.metadata['halftone.recipe'])).toMatchObject({ tool: 'halftone test', choice: { 'blocks.0.q': task.choice[1].option } })
    await model.close()
  })
})

test('a tied table is in the file once', async () => {
  await withFolder(async (folder) => {
    const { model, task } = await prepared('gemma2')
    expect(model.spec.tied).toBe(true)
    const choice = task.choice.map((layer) => (layer.name === 'embedding' ? { ...layer, option: 'int4-g32' } : layer))
    const graph = await exportAndRead({ ...task, choice, blob: (layer) => (layer === 'embedding' ? Promise.resolve(new Uint8Array(96 * 19)) : task.blob(layer)), out: folder })
    const ranges = ['embedding.codes', 'embedding.matrix'].map((name) => graph.initializers.get(name))
    expect(ranges[0]?.dims).toEqual([96, 16])
    expect(ranges[1]?.dims).toEqual([96, 1, 16])
    expect(ranges[0]?.data).toEqual(ranges[1]?.data)
    await model.close()
  })
})

test('the same input gives the same bytes, over an earlier export too; a cancelled one leaves no model', async () => {
  await withFolder(async (folder) => {
    const { model, task } = await prepared('qwen2')
    const first = await onnxExporter().write({ ...task, out: folder }, silent)
    const again = await onnxExporter().write({ ...task, out: folder }, silent)
    expect(again).toEqual(first)
    const stop = new AbortController()
    const blob = (layer: string): Promise<Uint8Array> => {
      if (layer === 'blocks.1.q') stop.abort()
      return task.blob(layer)
    }
    await expect(onnxExporter().write({ ...task, blob, out: folder }, { ...silent, signal: stop.signal })).rejects.toMatchObject({ code: 'cancelled' })
    const left = await readdir(folder)
    expect(left).not.toContain('model.onnx')
    expect(left.filter((name) => name.endsWith('.partial'))).toEqual([])
    await model.close()
  })
})

test('an option ONNX Runtime has no product for is refused before anything is written', async () => {
  await withFolder(async (folder) => {
    const { model, task } = await prepared('llama')
    for (const option of ['Q4_K', 'int3-g32', 'int4-channel', 'BF16']) {
      const choice = task.choice.map((layer) => (layer.name === 'blocks.0.k' ? { ...layer, option } : layer))
      await expect(onnxExporter().write({ ...task, choice, out: path.join(folder, 'out') }, silent)).rejects.toMatchObject({ code: 'bad-recipe' })
    }
    await expect(onnxExporter().size(task, task.choice.slice(1))).rejects.toMatchObject({ code: 'bad-recipe' })
    expect(await readdir(folder)).toEqual([])
    await model.close()
  })
})

async function exportAndRead(task: ExportTask): ReturnType<typeof readModel> {
  await onnxExporter().write(task, silent)
  return readModel(path.join(task.out, 'model.onnx'))
}
