/** @file Any readable model as something to evaluate or to generate with: a Hugging Face folder, a GGUF file, an ONNX folder. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import { genaiFile } from '../export/onnx-genai.ts'
import { checkVocabulary, openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import { openDecoder } from '../session/model.ts'
import { decoderGenerator } from './decoder-generator.ts'
import { evaluableDecoder } from './decoder.ts'
import type { Evaluable } from './evaluable.ts'
import type { Generator } from './generate.ts'
import { evaluableOnnx, onnxGenerator } from './onnx.ts'

export interface OpenOptions {
  readonly threads?: number | undefined
  /** Most bytes of parked hidden states in memory. */
  readonly memoryBytes?: number | undefined
  /** Weights of the unquantized model, for the bits of files that do not say how many theirs stand for. */
  readonly elements?: number | undefined
}

async function isOnnx(source: string): Promise<boolean> {
  const info = await stat(path.join(source, genaiFile)).catch(() => null)
  return /\.onnx$/i.test(source) || info?.isFile() === true
}

/** Opens a model to evaluate it. */
export async function openEvaluable(source: string, { threads, memoryBytes, elements }: OpenOptions, context: Pick<Context, 'signal'>): Promise<Evaluable> {
  if (await isOnnx(source)) return evaluableOnnx(source, { threads, elements })
  const evaluable = evaluableDecoder(await openDecoder(source, context), { threads, memoryBytes })
  return elements === undefined ? evaluable : { ...evaluable, elements }
}

export interface OpenedGenerator {
  readonly generator: Generator
  readonly tokenizer: Tokenizer
  readonly close: () => Promise<void>
}

/** Opens a model and its tokenizer to generate text. */
export async function openGenerator(source: string, { signal }: Pick<Context, 'signal'>, { threads }: Pick<OpenOptions, 'threads'> = {}): Promise<OpenedGenerator> {
  const tokenizer = await openTokenizer(source)
  if (await isOnnx(source)) {
    const generator = await onnxGenerator(source, { threads })
    return {
      generator,
      tokenizer,
      close() {
        generator.dispose()
        return Promise.resolve()
      },
    }
  }
  const model = await openDecoder(source, { signal })
  checkVocabulary(tokenizer, model.spec.vocabulary)
  const generator = decoderGenerator(model, { signal, threads })
  return {
    generator,
    tokenizer,
    async close() {
      generator.dispose()
      await model.close()
    },
  }
}
