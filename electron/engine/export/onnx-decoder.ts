/**
 * @file The exporter of the ONNX target: a folder in the convention of onnxruntime-genai with model.onnx, its weights in
 * model.onnx.data, genai_config.json and the tokenizer. Stock operators only. The data is written first, by stream, and
 * model.onnx last: where it is, everything is.
 */
import { createReadStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { LayerAdapter } from '../correct/adapter.ts'
import { encodedLength, encodeModel } from '../graph/encode.ts'
import type { Graph } from '../graph/graph.ts'
import { hashList } from '../io/hash.ts'
import { writeWhole, type Chunks, type Written } from '../io/write-file.ts'
import { fileProblem } from '../io/problems.ts'
import { beginStage } from '../job/progress.ts'
import type { DecoderModel } from '../session/model.ts'
import { chosenOptions, type Exported, type Exporter, type ExportSource, type ExportTask, type ReadBlob } from './exporter.ts'
import { externalData, type ExternalData } from './onnx-data.ts'
import { dataFile, genaiConfig, genaiFile, modelFile, recipeKey, specialTokens, weightsKey } from './onnx-genai.ts'
import type { StoredBranches } from './onnx-branch.ts'
import { decoderGraph } from './onnx-graph.ts'
import type { Accuracy } from './onnx-layers.ts'
import { blankMeasured, measuredKey } from './measured.ts'

/** Files of the source folder that go along as they are, where they are there. */
const companions = /^(config\.json|generation_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)|merges\.txt|tokenizer\.model|chat_template\.jinja|(licen[cs]e|notice)\S{0,20})$/i
/** Companions are texts; anything larger has a name it should not have. */
const COMPANION_BYTES_MAX = 64 << 20

/** The ONNX exporter. `accuracy` says how exactly the runtime is asked to compute; it does not change the size. */
export function onnxExporter({ accuracy = 'balanced' }: { accuracy?: Accuracy } = {}): Exporter {
  return {
    fileName: '',
    measuredIn: modelFile,
    async size(source, choice) {
      const { graph, data } = draft(source, choice, accuracy, unread, unreadBranch)
      const files = await smallFiles(source)
      return encodedLength(graph) + data.sizeBytes() + files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    },
    write: (task, context) => write(task, accuracy, context),
  }
}

/** The graph of a choice and the plan of its data; nothing is read yet. */
function draft({ model, provenance }: ExportSource, choice: readonly LayerChoice[], accuracy: Accuracy, blob: ReadBlob, readBranch: StoredBranches['read']): { graph: Graph; data: ExternalData } {
  const data = externalData(dataFile)
  const options = new Map(choice.map(({ name, option }) => [name, option]))
  const metadata = { [recipeKey]: JSON.stringify({ ...provenance, choice: chosenOptions(choice) }), [weightsKey]: String(model.elements), [measuredKey]: blankMeasured }
  const branches = { ranks: new Map(choice.map(({ name, rank }) => [name, rank])), storage: provenance.adapterStorage ?? 'float16', read: readBranch }
  const source = { spec: model.spec, branches, choice: options, readTensor: blob, readExtras: (block: number | null) => model.readExtras(block), halfPositions: hasHalfPositions(model), accuracy, metadata }
  return { graph: decoderGraph(source, data), data }
}

function unread(layer: string): Promise<Uint8Array> {
  return Promise.reject(new Error(`layer ${layer} is not read to know a size`))
}

function unreadBranch(layer: string): Promise<LayerAdapter> {
  return Promise.reject(new Error(`the branch of ${layer} is not read to know a size`))
}

function hasHalfPositions({ checkpoint, places }: DecoderModel): boolean {
  return checkpoint.tensors.get(places.get('positions')?.tensor ?? '')?.type === 'F16'
}

interface SmallFile {
  readonly name: string
  readonly sizeBytes: number
  readonly chunks: () => Chunks
}

/** Everything beside the graph and its data. */
async function smallFiles({ model, tokenizer }: ExportSource): Promise<SmallFile[]> {
  const folder = await sourceFolder(model.path)
  const copies = folder === null ? [] : await copiesOf(folder)
  const text = (name: string, contents: string): SmallFile => ({ name, sizeBytes: Buffer.byteLength(contents), chunks: () => [Buffer.from(contents)] })
  const { json, config, where } = tokenizer.file
  const original = path.basename(where) === 'tokenizer.json' ? await copyOf(path.dirname(where), 'tokenizer.json') : null
  return [
    text(genaiFile, genaiConfig(model.spec, specialTokens(model.config, tokenizer))),
    original ?? text('tokenizer.json', JSON.stringify(json)),
    text('tokenizer_config.json', `${JSON.stringify(config, null, 2)}\n`),
    ...copies,
  ]
}

async function sourceFolder(source: string): Promise<string | null> {
  if ((await stat(source)).isDirectory()) return source
  return /\.(safetensors|json)$/i.test(source) ? path.dirname(source) : null
}

async function copiesOf(folder: string): Promise<SmallFile[]> {
  const names = (await readdir(folder)).filter((name) => companions.test(name)).sort()
  const copies = await Promise.all(names.map((name) => copyOf(folder, name)))
  return copies.filter((copy) => copy !== null)
}

async function copyOf(folder: string, name: string): Promise<SmallFile | null> {
  const file = path.join(folder, name)
  const info = await stat(file).catch(() => null)
  if (info?.isFile() !== true || info.size > COMPANION_BYTES_MAX) return null
  return { name, sizeBytes: info.size, chunks: () => createReadStream(file) }
}

async function write(task: ExportTask, accuracy: Accuracy, context: Context): Promise<Exported> {
  const { choice, out, blob, adapter } = task
  const { graph, data } = draft(task, choice, accuracy, blob, (layer) => adapter?.read(layer) ?? unreadBranch(layer))
  const files: Pick<SmallFile, 'name' | 'chunks'>[] = [
    { name: dataFile, chunks: () => dataChunks(data, choice, context) },
    ...(await smallFiles(task)),
    { name: modelFile, chunks: () => [encodeModel(graph)] },
  ]
  const written = new Map<string, Written>()
  try {
    await mkdir(out, { recursive: true })
    await rm(path.join(out, modelFile), { force: true })
    for (const { name, chunks } of files) written.set(name, await writeWhole(path.join(out, name), chunks(), { signal: context.signal, overwrite: true }))
  } catch (cause) {
    for (const name of written.keys()) await rm(path.join(out, name), { force: true })
    throw fileProblem(out, 'writing', cause)
  }
  const hashes = new Map([...written].map(([name, { sha256 }]) => [name, sha256]))
  return { path: out, sizeBytes: [...written.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), sha256: hashList(hashes), hashes }
}

async function* dataChunks(data: ExternalData, choice: readonly LayerChoice[], context: Context): AsyncGenerator<Uint8Array> {
  const layers = new Set(choice.map(({ name }) => name))
  const progress = beginStage(context, 'export', layers.size)
  yield* data.chunks((name) => {
    if (layers.has(name)) progress.advance(name)
  })
}
