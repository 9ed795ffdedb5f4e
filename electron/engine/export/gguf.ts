/** @file GGUF version 3 for llama.cpp, Ollama and LM Studio: weights, tokenizer, and the recipe that made the file. */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { ggufSize, writeGguf, type GgufEntries } from '../io/gguf-writer.ts'
import { chosenOptions, type Exporter, type ExportTask } from './exporter.ts'
import { modelEntries } from './gguf-metadata.ts'
import { ggufTensors } from './gguf-tensors.ts'
import { tokenizerEntries } from './gguf-tokenizer.ts'
import { blankMeasured, measuredKey } from './measured.ts'

/** The option with most weights. */
function mainOption(task: Pick<ExportTask, 'model'>, choice: readonly LayerChoice[]): string {
  const weights = new Map<string, number>()
  const elements = new Map(task.model.layers.map(({ name, shape: [rows, cols] }) => [name, rows * cols]))
  for (const { name, option } of choice) weights.set(option, (weights.get(option) ?? 0) + (elements.get(name) ?? 0))
  return [...weights].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'F16'
}

function entriesOf(task: Pick<ExportTask, 'model' | 'tokenizer' | 'provenance'>, choice: readonly LayerChoice[]): GgufEntries {
  const { model, tokenizer, provenance } = task
  const { spec, family } = model
  const gap = family.ggufArchitecture === null ? `the architecture ${spec.architecture}` : family.ggufGap(spec)
  if (gap !== null || family.ggufArchitecture === null) {
    throw new AppError('unsupported-architecture', `${model.path}: GGUF cannot hold ${gap ?? ''}`, { hint: 'Choose the ONNX or safetensors target.' })
  }
  return {
    [measuredKey]: { type: 'string', value: blankMeasured },
    ...modelEntries(spec, family.ggufArchitecture, path.basename(path.resolve(model.path)).replace(/\.gguf$/, ''), mainOption(task, choice)),
    ...tokenizerEntries(tokenizer, spec.vocabulary),
    'halftone.recipe': { type: 'string', value: JSON.stringify({ ...provenance, choice: chosenOptions(choice) }) },
  }
}

const optionsOf = (choice: readonly LayerChoice[]): ReadonlyMap<string, string> => new Map(choice.map(({ name, option }) => [name, option]))

export const gguf: Exporter = {
  fileName: 'model.gguf',
  measuredIn: '',
  size(task, choice) {
    return Promise.resolve(ggufSize(entriesOf(task, choice), ggufTensors(task.model, optionsOf(choice), () => Promise.reject(new Error('only the size is asked for')))))
  },
  async write(task, { signal }) {
    const file = path.join(task.out, 'model.gguf')
    const tensors = ggufTensors(task.model, optionsOf(task.choice), task.blob)
    return { path: file, ...await writeGguf(file, entriesOf(task, task.choice), tensors, { signal, overwrite: true }) }
  },
}
