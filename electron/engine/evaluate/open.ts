/** @file Any readable model as something to evaluate or to generate with: a Hugging Face folder, a GGUF file, an ONNX folder. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { BlockWeights } from '../calibrate/runner.ts'
import { mergedWeights } from '../correct/merge.ts'
import { readAdapter } from '../export/adapter-read.ts'
import { genaiFile } from '../export/onnx-genai.ts'
import { checkVocabulary, openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
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
  /** A GGUF LoRA file or a PEFT folder of the model, whose branches are added and whose bytes are counted. */
  readonly adapter?: string | undefined
}

async function isOnnx(source: string): Promise<boolean> {
  const info = await stat(path.join(source, genaiFile)).catch(() => null)
  return /\.onnx$/i.test(source) || info?.isFile() === true
}

interface Adapted {
  /** Reads blocks with the branches merged. */
  readonly weights: (block: number) => Promise<BlockWeights>
  readonly sizeBytes: number
}

function refuseAdapter(source: string, adapter: string | undefined): void {
  if (adapter !== undefined) throw new AppError('bad-request', `${adapter}: found an adapter for the ONNX model ${source}, expected none: its low-rank branches are in the graph`, { hint: 'Export the model to ONNX again with the adapter.' })
}

async function bytesOf(source: string): Promise<number> {
  const info = await stat(source)
  if (!info.isDirectory()) return info.size
  const sizes = await Promise.all((await readdir(source)).map((name) => stat(path.join(source, name))))
  return sizes.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
}

/** The adapter of an opened model, which is closed where the adapter does not fit. */
async function openAdapted(model: DecoderModel, adapter: string | undefined, context: Pick<Context, 'signal'>): Promise<Adapted | null> {
  if (adapter === undefined) return null
  try {
    return { weights: mergedWeights(model, await readAdapter(adapter, model, context)), sizeBytes: await bytesOf(adapter) }
  } catch (cause) {
    await model.close()
    throw cause
  }
}

/** Opens a model to evaluate it. */
export async function openEvaluable(source: string, { threads, memoryBytes, elements, adapter }: OpenOptions, context: Pick<Context, 'signal'>): Promise<Evaluable> {
  if (await isOnnx(source)) {
    refuseAdapter(source, adapter)
    return evaluableOnnx(source, { threads, elements })
  }
  const model = await openDecoder(source, context)
  const adapted = await openAdapted(model, adapter, context)
  const evaluable = evaluableDecoder(model, { threads, memoryBytes, weights: adapted?.weights })
  const added = adapted?.sizeBytes ?? 0
  return {
    ...evaluable,
    sizeBytes: evaluable.sizeBytes + added,
    layers: evaluable.layers && { ...evaluable.layers, bytes: evaluable.layers.bytes + added },
    ...(elements !== undefined && { elements }),
  }
}

export interface OpenedGenerator {
  readonly generator: Generator
  readonly tokenizer: Tokenizer
  readonly close: () => Promise<void>
}

/** Opens a model and its tokenizer to generate text. */
export async function openGenerator(source: string, { signal }: Pick<Context, 'signal'>, { threads, adapter }: Pick<OpenOptions, 'threads' | 'adapter'> = {}): Promise<OpenedGenerator> {
  const tokenizer = await openTokenizer(source)
  if (await isOnnx(source)) {
    refuseAdapter(source, adapter)
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
  const adapted = await openAdapted(model, adapter, { signal })
  const generator = decoderGenerator(model, { signal, threads, weights: adapted?.weights })
  return {
    generator,
    tokenizer,
    async close() {
      generator.dispose()
      await model.close()
    },
  }
}
