/**
 * @file An ONNX decoder with a cache (onnxruntime-genai's folder) as something to evaluate and to generate with. Windows run one
 * at a time through the cache in stretches, so that logits of a large vocabulary never pile up.
 */
import path from 'node:path'
import { openOnnxDecoder, type OnnxCache, type OnnxDecoder } from '../export/onnx-open.ts'
import { weightsKey } from '../export/onnx-genai.ts'
import { readModel } from '../graph/read.ts'
import { elementCount } from '../io/types.ts'
import type { Evaluable } from './evaluable.ts'
import type { Generator } from './generate.ts'

export interface OnnxOptions {
  readonly threads?: number | undefined
  /** Weights of the model the folder was made from; from the graph's metadata unless told. */
  readonly elements?: number | undefined
}

/** Logits made at once on the way to the scored positions. */
const LOGIT_BYTES = 64 << 20

/** Weights as the graph's maker counted them, else the elements of its initializers as they are stored. */
async function countWeights({ path: folder, config }: OnnxDecoder): Promise<number> {
  const graph = await readModel(path.join(folder, config.decoder.filename))
  const stated = Number(graph.metadata[weightsKey])
  return Number.isSafeInteger(stated) && stated > 0 ? stated : [...graph.initializers.values()].reduce((sum, { dims }) => sum + (elementCount(dims) ?? 0), 0)
}

/** Opens an ONNX folder to evaluate it. */
export async function evaluableOnnx(source: string, { threads, elements }: OnnxOptions = {}): Promise<Evaluable> {
  const decoder = await openOnnxDecoder(source, threads === undefined ? {} : { threads })
  const stretch = Math.max(16, Math.floor(LOGIT_BYTES / 4 / decoder.vocabulary))
  return {
    path: source,
    vocabulary: decoder.vocabulary,
    contextLength: decoder.contextLength,
    sizeBytes: decoder.sizeBytes,
    elements: elements ?? (await countWeights(decoder)),
    layers: null,
    steps: 0,
    prepare(windows, _from, _step, { signal }) {
      let at = { window: -1, position: 0 }
      let cache: OnnxCache | null = null
      const advance = async (window: number, to: number): Promise<Float32Array> => {
        const result = await decoder.step((windows[window] ?? new Int32Array()).subarray(at.position, to), cache, signal)
        cache = result.cache
        at = { window, position: to }
        return result.logits
      }
      return Promise.resolve({
        async logits(window, first, last) {
          if (at.window !== window || at.position > first) {
            at = { window, position: 0 }
            cache = null
          }
          while (at.position < first) await advance(window, Math.min(first, at.position + stretch))
          return advance(window, last)
        },
        dispose: () => Promise.resolve(),
      })
    },
    close() {
      decoder.close()
      return Promise.resolve()
    },
  }
}

/** Opens an ONNX folder to generate text with it. */
export async function onnxGenerator(source: string, { threads }: OnnxOptions = {}): Promise<Generator> {
  const decoder = await openOnnxDecoder(source, threads === undefined ? {} : { threads })
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
