/**
 * @file What becomes of an adapter: a file of another format, or weights with the branches merged. A merge in 16 bits keeps what the
 * adapter does. A merge that is quantized again does not: the branches are smaller than the steps of a narrow format, which
 * rounds most of them away; that is why a correction is kept as a branch.
 */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { AdaptInput, type AdaptReport } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Target } from '../../contract/options.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { Evaluation } from '../../contract/report.ts'
import { optionBytes } from '../budget/option-bytes.ts'
import { openModelTokenizer } from '../calibrate/calibration.ts'
import type { Adapter } from '../correct/adapter.ts'
import { adapterSource } from '../correct/adapter-source.ts'
import { mergeBranch } from '../correct/merge.ts'
import { openEvaluable } from '../evaluate/open.ts'
import { evaluate } from '../evaluate/perplexity.ts'
import { readTexts, tokenWindows } from '../io/data.ts'
import { codecOf } from '../quantize/quantize-decoder.ts'
import { search } from '../quantize/rounders/search.ts'
import type { Layer } from '../model.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { tool } from '../tool.ts'
import { writeGgufAdapter } from './adapter-gguf.ts'
import { writePeftAdapter } from './adapter-peft.ts'
import { readAdapter } from './adapter-read.ts'
import type { ExportedFile } from './exporter.ts'
import { exporters } from './exporters.ts'

interface Work {
  readonly input: ReturnType<typeof AdaptInput.parse>
  readonly model: DecoderModel
  readonly adapter: Adapter
  readonly context: Context
}

/** The format a layer is stored in now. */
function presentOption({ places, checkpoint }: DecoderModel, { name }: Layer): string {
  return checkpoint.tensors.get(places.get(name)?.tensor ?? '')?.type ?? 'F16'
}

/** The model with corrected layers named as another type, so that exporters take their merged weights in place of the stored bytes. */
function rewritten(model: DecoderModel, adapter: Adapter): DecoderModel {
  const { checkpoint, places } = model
  const corrected = new Set([...adapter.keys()].map((name) => places.get(name)?.tensor))
  const tensors = new Map([...checkpoint.tensors].map(([name, info]) => [name, corrected.has(name) ? { ...info, type: 'F32' as const } : info]))
  return { ...model, checkpoint: { ...checkpoint, tensors } }
}

/** All weights of the model with the branches merged, each layer in an option of its own. */
async function writeMerged({ input, model, adapter, context }: Work, optionOf: (layer: Layer) => string): Promise<ExportedFile> {
  const target: Target = model.config === null ? 'gguf' : 'safetensors'
  const choice = model.layers.map((layer): LayerChoice => {
    const option = optionOf(layer)
    const size = optionBytes(target, layer, option)
    if ('reason' in size) throw new AppError('bad-request', `layer ${layer.name}: it cannot be stored as ${option}: ${size.reason}`, { hint: 'Choose another format with --option.' })
    return { name: layer.name, option, rank: 0, bytes: size.bytes, predictedLoss: 0 }
  })
  const options = new Map(choice.map(({ name, option }) => [name, option]))
  const tokenizer = await openModelTokenizer(model)
  await mkdir(input.out, { recursive: true })
  const provenance = {
    tool, model: { path: path.basename(path.resolve(input.model)), sha256: await model.checkpoint.sha256(context.signal) }, data: null, target, budget: { kind: 'ratio' as const, value: 1 },
    pins: {}, metric: 'none', rounder: 'search' as const, correction: 'none' as const, seed: 0,
  }
  const blob = async (name: string): Promise<Uint8Array> => {
    const layer = model.layers.find((one) => one.name === name)
    const weights = await model.readWeight(name)
    const branch = adapter.get(name)
    const [rows, cols] = layer?.shape ?? [0, 0]
    return search(codecOf(options.get(name) ?? 'F16'), { rows, cols }, branch ? await mergeBranch(weights, branch) : weights, null)
  }
  return exporters[target].write({ model: rewritten(model, adapter), tokenizer, provenance, choice, blob, out: input.out }, context)
}

const forms: Readonly<Record<Work['input']['form'], { readonly isModel: boolean; readonly write: (work: Work) => Promise<ExportedFile> }>> = {
  gguf: {
    isModel: false,
    async write({ input, model, adapter, context }) {
      await mkdir(path.dirname(path.resolve(input.out)), { recursive: true })
      return writeGgufAdapter(input.out, model, adapterSource(adapter), { storage: 'float16', provenance: { tool } }, context)
    },
  },
  peft: { isModel: false, write: ({ input, model, adapter, context }) => writePeftAdapter(input.out, model, adapterSource(adapter), {}, context) },
  merged: { isModel: true, write: (work) => writeMerged(work, () => 'F16') },
  requantized: { isModel: true, write: (work) => writeMerged(work, (layer) => (layer.block === null ? undefined : work.input.option) ?? presentOption(work.model, layer)) },
}

/** The written model against the model with its adapter, on a text. */
async function compare({ input, model, context }: Work, written: string): Promise<Evaluation> {
  const { text = '', length, windows: most } = input
  const { windows } = await tokenWindows(await openModelTokenizer(model), readTexts(text), { length, signal: context.signal })
  const reference = await openEvaluable(input.model, { adapter: input.adapter, elements: model.elements }, context)
  try {
    const subject = await openEvaluable(written, { elements: model.elements }, context)
    try {
      return await evaluate({ model: subject, reference, windows: windows.slice(0, most) }, context)
    } finally {
      await subject.close()
    }
  } finally {
    await reference.close()
  }
}

/**
 * Makes an adapter into a GGUF LoRA file (`out` is the file), a PEFT folder, or a model with the branches merged (`out` is a folder):
 * GGUF where the model is a GGUF file, safetensors where it is a folder.
 * @throws AppError adapter-mismatch where the adapter is of another model
 */
export async function adapt(raw: AdaptInput, context: Context): Promise<AdaptReport> {
  const input = AdaptInput.parse(raw)
  const model = await openDecoder(input.model, context)
  try {
    const work: Work = { input, model, adapter: await readAdapter(input.adapter, model, context), context }
    const form = forms[input.form]
    const { path: written, sizeBytes, sha256 } = await form.write(work)
    const evaluation = form.isModel && input.text !== undefined ? await compare(work, written) : undefined
    return { path: written, sizeBytes, sha256, ...(evaluation && { evaluation }) }
  } finally {
    await model.close()
  }
}
