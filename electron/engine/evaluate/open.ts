/** @file Opens whatever can be evaluated or made to write: a Hugging Face folder, a GGUF file, an ONNX folder. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import { openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import { openDecoder } from '../session/model.ts'
import { decoderGenerator } from './decoder-generator.ts'
import { evaluableDecoder } from './decoder.ts'
import type { Evaluable } from './evaluable.ts'
import type { Generator } from './generate.ts'
import { onnxEvaluable, onnxGenerator } from './onnx.ts'

/** Whether the path is a folder (or a file in one) in the onnxruntime-genai convention. */
async function isOnnxFolder(source: string): Promise<boolean> {
  const folder = source.endsWith('.onnx') ? path.dirname(source) : source
  return (await stat(path.join(folder, 'genai_config.json')).catch(() => null)) !== null
}

/** A model to evaluate. `elements` are the weights of the model it was made from, where the file cannot say. */
export async function openEvaluable(source: string, options: { memoryBytes?: number | undefined; elements?: number | undefined }, context: Pick<Context, 'signal'>): Promise<Evaluable> {
  if (await isOnnxFolder(source)) return onnxEvaluable(source, options.elements)
  return evaluableDecoder(await openDecoder(source, context), { ...(options.memoryBytes !== undefined && { memoryBytes: options.memoryBytes }) })
}

/** A model to generate with, and its tokenizer. */
export async function openGenerator(source: string, context: Pick<Context, 'signal'>): Promise<{ generator: Generator; tokenizer: Tokenizer; close: () => Promise<void> }> {
  const tokenizer = await openTokenizer(source.endsWith('.onnx') ? path.dirname(source) : source)
  if (await isOnnxFolder(source)) {
    const generator = await onnxGenerator(source)
    return { generator, tokenizer, close: () => Promise.resolve(generator.dispose()) }
  }
  const model = await openDecoder(source, context)
  const generator = decoderGenerator(model, { signal: context.signal })
  return {
    generator,
    tokenizer,
    async close() {
      generator.dispose()
      await model.close()
    },
  }
}
