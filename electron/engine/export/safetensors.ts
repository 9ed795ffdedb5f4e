/**
 * @file A quantized Hugging Face folder for transformers and vLLM: sharded safetensors in the GPTQ or the compressed-tensors layout,
 * config.json with its quantization_config, tokenizer and companions of the source, and the recipe. config.json is written last:
 * where it is, everything is.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { LayerChoice, PackedLayoutName } from '../../contract/recipe.ts'
import { intFormats } from '../budget/option-bytes.ts'
import { hashList } from '../io/hash.ts'
import { fileProblem } from '../io/problems.ts'
import { DEFAULT_SHARD_BYTES, safetensorsSize, writeSafetensors } from '../io/safetensors-writer.ts'
import { INDEX_NAME } from '../io/shards.ts'
import { writeWhole, type Chunks, type Written } from '../io/write-file.ts'
import { chosenOptions, type Exporter, type ExportSource, type ExportTask, type ReadBlob } from './exporter.ts'
import { blankMeasured } from './measured.ts'
import { quantizationConfig } from './quantization-config.ts'
import { folderTensors, type FolderTensors } from './safetensors-tensors.ts'

/** Files of the source folder that go along as they are. */
const companions =
  /^(tokenizer\.json|tokenizer_config\.json|generation_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)|merges\.txt|tokenizer\.model|chat_template\.jinja|(licen[cs]es?|notice)\S{0,20})$/i
/** Companions are texts; anything larger has a name it should not have. */
const COMPANION_BYTES_MAX = 128 << 20
/** The recipe, beside the weights. */
export const RECIPE_NAME = 'halftone.json'

interface SmallFile {
  readonly name: string
  readonly sizeBytes: number
  readonly chunks: () => Chunks
}

function text(name: string, value: unknown): SmallFile {
  const contents = Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
  return { name, sizeBytes: contents.length, chunks: () => [contents] }
}

/** The recipe, and a blank of fixed length for the numbers that will be measured. */
function recipeFile({ provenance }: ExportSource, choice: readonly LayerChoice[]): SmallFile {
  const recipe = JSON.stringify({ ...provenance, choice: chosenOptions(choice) }, null, 2).slice(0, -'\n}'.length)
  const contents = Buffer.from(`${recipe},\n  "measured": ${blankMeasured}\n}\n`)
  return { name: RECIPE_NAME, sizeBytes: contents.length, chunks: () => [contents] }
}

/** The folder of config.json; other sources have no description to write on. */
async function sourceFolder({ model }: ExportSource): Promise<string> {
  if (model.config === null) {
    throw new AppError('unsupported-architecture', `${model.path}: found a GGUF file, expected a Hugging Face folder: the safetensors target writes on the configuration that comes with one`, { hint: 'Use the Hugging Face folder of this model, or choose the target gguf or onnx.' })
  }
  return (await stat(model.path)).isDirectory() ? model.path : path.dirname(model.path)
}

async function companionFiles(folder: string): Promise<SmallFile[]> {
  const found: SmallFile[] = []
  for (const name of (await readdir(folder)).sort()) {
    if (!companions.test(name)) continue
    const file = path.join(folder, name)
    const info = await stat(file)
    if (info.isFile() && info.size <= COMPANION_BYTES_MAX) found.push({ name, sizeBytes: info.size, chunks: () => createReadStream(file) })
  }
  return found
}

/**
 * The layout where none is asked for. transformers reads compressed-tensors with any mix of symmetric formats, on any machine; the GPTQ
 * layout holds zero points and transposed layers too, and with different formats in one model wants GPTQModel or vLLM.
 */
function usualLayout({ model }: ExportSource, choice: readonly LayerChoice[]): PackedLayoutName {
  const quantized = choice.flatMap(({ name, option }) => {
    const format = intFormats.get(option)
    return format === undefined ? [] : [{ format, place: model.places.get(name) }]
  })
  return quantized.length > 0 && quantized.every(({ format, place }) => format.isSymmetric && place?.source.transposed !== true) ? 'compressed-tensors' : 'gptq'
}

interface Draft {
  readonly tensors: FolderTensors['tensors']
  readonly files: readonly SmallFile[]
}

async function draft(asked: PackedLayoutName | undefined, source: ExportSource, choice: readonly LayerChoice[], blob: ReadBlob): Promise<Draft> {
  const folder = await sourceFolder(source)
  const layout = asked ?? source.provenance.layout ?? usualLayout(source, choice)
  const options = new Map(choice.map(({ name, option }) => [name, option]))
  const { tensors, modules } = folderTensors(layout, source.model, options, blob)
  const quantization = quantizationConfig(layout, modules, source.provenance.tool)
  const config = Object.fromEntries(Object.entries(source.model.config ?? {}).filter(([key]) => key !== 'quantization_config'))
  return {
    tensors,
    files: [
      ...(await companionFiles(folder)),
      recipeFile(source, choice),
      ...(layout === 'gptq' && quantization ? [text('quantize_config.json', quantization)] : []),
      text('config.json', quantization ? { ...config, quantization_config: quantization } : config),
    ],
  }
}

/** Weight files of an earlier run, which other shard counts would leave behind. */
const weightFiles = /^model(-\d{5}-of-\d{5})?\.safetensors$/

async function removeEarlier(out: string): Promise<void> {
  for (const name of await readdir(out)) if (name === 'config.json' || name === INDEX_NAME || weightFiles.test(name)) await rm(path.join(out, name), { force: true })
}

async function write(layout: PackedLayoutName | undefined, maxShardBytes: number, task: ExportTask, signal: AbortSignal): Promise<ReadonlyMap<string, Written>> {
  const { out } = task
  const { tensors, files } = await draft(layout, task, task.choice, task.blob)
  const written = new Map<string, Written>()
  try {
    await mkdir(out, { recursive: true })
    await removeEarlier(out)
    for (const [name, one] of await writeSafetensors(out, tensors, { signal, overwrite: true, maxShardBytes })) written.set(name, one)
    for (const { name, chunks } of files) written.set(name, await writeWhole(path.join(out, name), chunks(), { signal, overwrite: true }))
  } catch (cause) {
    for (const name of written.keys()) await rm(path.join(out, name), { force: true })
    throw fileProblem(out, 'writing', cause)
  }
  return written
}

/** The exporter of the safetensors target, in a layout of choice or in that of the recipe. */
export function safetensorsExporter({ layout, maxShardBytes = DEFAULT_SHARD_BYTES }: { layout?: PackedLayoutName; maxShardBytes?: number } = {}): Exporter {
  return {
    fileName: '',
    measuredIn: RECIPE_NAME,
    async size(source, choice) {
      const { tensors, files } = await draft(layout, source, choice, () => Promise.reject(new Error('only the size is asked for')))
      return safetensorsSize(tensors, maxShardBytes) + files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    },
    async write(task, { signal }) {
      const written = await write(layout, maxShardBytes, task, signal)
      const hashes = new Map([...written].map(([name, { sha256 }]) => [name, sha256]))
      return { path: task.out, sizeBytes: [...written.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), sha256: hashList(hashes), hashes }
    },
  }
}
