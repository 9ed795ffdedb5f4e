/** @file An exported ONNX decoder as something to evaluate and to generate with, run by stock ONNX Runtime. */
import type { Evaluable } from './evaluable.ts'
import type { Generator } from './generate.ts'
import { openOnnxDecoder, type OnnxCache } from '../export/onnx-open.ts'

/** An ONNX folder to evaluate. `elements` are the weights it holds; unknown without them, and taken from its bytes at 16 bits. */
export async function onnxEvaluable(source: string, elements?: number): Promise<Evaluable> {
  const decoder = await openOnnxDecoder(source)
  return {
    path: decoder.path,
    vocabulary: decoder.vocabulary,
    contextLength: null,
    sizeBytes: decoder.sizeBytes,
    elements: elements ?? decoder.sizeBytes / 2,
    layers: null,
    steps: 0,
    prepare: (windows, _from, _step, { signal }) => {
      let held: { window: number; logits: Float32Array } | undefined
      return Promise.resolve({
        async logits(window: number, first: number, last: number) {
          const tokens = windows[window] ?? new Int32Array()
          if (held?.window !== window) held = { window, logits: await decoder.logits(tokens, signal) }
          return held.logits.subarray(first * decoder.vocabulary, last * decoder.vocabulary)
        },
        dispose: () => {
          held = undefined
          return Promise.resolve()
        },
      })
    },
    close: () => Promise.resolve(decoder.close()),
  }
}

/** An ONNX folder to generate with. */
export async function onnxGenerator(source: string): Promise<Generator> {
  const decoder = await openOnnxDecoder(source)
  let cache: OnnxCache | null = null
  return {
    vocabulary: decoder.vocabulary,
    contextLength: decoder.contextLength,
    async next(tokens) {
      const result = await decoder.step(tokens, cache)
      cache = result.cache
      return result.logits.slice(-decoder.vocabulary)
    },
    dispose: () => decoder.close(),
  }
}
