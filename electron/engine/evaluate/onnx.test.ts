import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { kernels } from '../../../kernels/kernels.ts'
import { silent } from '../../contract/events.ts'
import { onnxExporter } from '../export/onnx-decoder.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { createTokenizer } from '../io/tokenizer.ts'
import { checkTokenizer } from '../io/tokenizer-file.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder } from '../session/model.ts'
import { decoderGenerator } from './decoder-generator.ts'
import { generate } from './generate.ts'
import { openEvaluable, openGenerator } from './open.ts'
import { evaluate } from './perplexity.ts'

const golden = path.join(import.meta.dirname, '..', 'session', 'goldens', 'qwen2')
const windows = index.tokens.map((tokens) => Int32Array.from(tokens))

/** Writes the golden model as an ONNX folder, its weights in float16 as they are. */
async function exportGolden(out: string): Promise<void> {
  const model = await openDecoder(golden, silent)
  const vocab = Object.fromEntries(Array.from({ length: model.spec.vocabulary }, (_, id) => [String.fromCodePoint(0x100 + id), id]))
  await onnxExporter().write({
    model,
    tokenizer: createTokenizer(checkTokenizer('test', { model: { type: 'BPE', vocab, merges: [] } }, {})),
    provenance: { tool: 'halftone test', model: { path: golden, sha256: 'aa' }, data: null, target: 'onnx', budget: { kind: 'bits', value: 16 }, pins: {}, metric: 'none', rounder: 'nearest', correction: 'none', seed: 0 },
    choice: model.layers.map(({ name, shape: [rows, cols] }) => ({ name, option: 'F16', rank: 0, bytes: rows * cols * 2, predictedLoss: 0 })),
    out,
    async blob(name) {
      const [rows, cols] = model.layers.find((layer) => layer.name === name)?.shape ?? [0, 0]
      const bytes = new Uint8Array(rows * cols * 2)
      await kernels().encode('F16', { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
      return bytes
    },
  }, silent)
  await model.close()
}

describe('an ONNX folder', () => {
  it('is evaluated and generates like the model it was made from', async () => {
    await withFolder(async (folder) => {
      await exportGolden(folder)
      const [model, reference] = await Promise.all([openEvaluable(folder, { threads: 1 }, silent), openEvaluable(golden, { threads: 1 }, silent)])
      const result = await evaluate({ model, reference, windows }, silent)
      expect(result.perplexity / (result.perplexityReference ?? NaN)).toBeCloseTo(1, 5)
      expect(result.klMean).toBeLessThan(1e-9)
      expect(result.sameTop).toBe(1)
      expect(result.tokens).toBe(2 * 11)
      expect(model.elements).toBe(reference.elements)
      expect(model.sizeBytes).toBeGreaterThan(reference.sizeBytes)
      await model.close()
      await reference.close()

      const texts = await Promise.all([folder, golden].map(async (source) => {
        const opened = source === folder ? await openGenerator(source, silent, { threads: 1 }) : await openDecoderGenerator()
        const made = await generate(opened.generator, windows[0]?.subarray(0, 6) ?? new Int32Array(), { tokens: 12, temperature: 0.7, topP: 0.9, seed: 3 }, () => undefined, silent)
        await opened.close()
        return [...made]
      }))
      expect(texts[0]).toHaveLength(12)
      expect(texts[0]).toEqual(texts[1])
    })
  })
})

async function openDecoderGenerator() {
  const model = await openDecoder(golden, silent)
  const generator = decoderGenerator(model, { threads: 1 })
  return {
    generator,
    async close() {
      generator.dispose()
      await model.close()
    },
  }
}
