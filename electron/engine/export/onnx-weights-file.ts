/** @file Writes an ONNX graph with some weights in few bits to a file, or says how large it would be. Payloads are made one layer at a time. */
import path from 'node:path'
import { byteLength } from '../graph/element.ts'
import { modelBytes, writeModel, type Payloads } from '../graph/write.ts'
import { hashList } from '../io/hash.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { GraphModel } from '../graph-model/open.ts'
import { partBytes } from '../graph-model/pack.ts'
import type { Graph } from '../graph/graph.ts'
import { chosenOptions, type Exported, type Provenance, type ReadBlob } from './exporter.ts'
import { blankMeasured, measuredKey } from './measured.ts'
import { quantizeGraph, type QuantizedGraph } from './onnx-weights.ts'

/** Weights in one message: the format ends at 2 GiB, and runtimes read it whole. */
const MESSAGE_BYTES_MAX = 2 ** 31 - (64 << 20)

export interface WeightsFile {
  readonly model: GraphModel
  readonly choice: readonly LayerChoice[]
  readonly provenance: Provenance
}

function quantized({ model, choice, provenance }: WeightsFile): QuantizedGraph {
  const made = quantizeGraph(model.graph, model.layers, new Map(choice.map(({ name, option }) => [name, option])))
  const metadata = { ...made.graph.metadata, 'halftone.recipe': JSON.stringify({ ...provenance, options: chosenOptions(choice) }), [measuredKey]: blankMeasured }
  return { ...made, graph: { ...made.graph, metadata } }
}

/** Weights that would not fit one message go to a file beside the model. */
function isLarge({ initializers }: Graph): boolean {
  return [...initializers.values()].reduce((sum, { type, dims }) => sum + byteLength(type, dims), 0) > MESSAGE_BYTES_MAX
}

/** Name of the written model below the output folder: the source's own. */
export const outputName = ({ path: source }: GraphModel): string => path.basename(source)

/** Exact bytes of everything that will be written for a choice. */
export async function weightsFileBytes(file: WeightsFile): Promise<number> {
  const { graph } = quantized(file)
  return modelBytes(graph, outputName(file.model), isLarge(graph))
}

/** Writes the model below `folder`, over that of an earlier run. */
export async function writeWeightsFile(file: WeightsFile, read: ReadBlob, folder: string, signal: AbortSignal): Promise<Exported> {
  const { graph, made, stored } = quantized(file)
  let held: { readonly layer: string; readonly bytes: Uint8Array } | null = null
  async function blob(layer: string): Promise<Uint8Array> {
    if (held?.layer !== layer) held = { layer, bytes: await read(layer) }
    return held.bytes
  }
  const payloads: Payloads = new Map([...made].map(([name, { layer, part }]) => {
    const found = stored.get(layer)
    return [name, async function* () {
      if (found !== undefined) yield* partBytes(found.layer, found.storage, part, await blob(layer))
    }] as const
  }))
  const name = outputName(file.model)
  const output = path.join(folder, name)
  const written = await writeModel(graph, output, { externalData: isLarge(graph), payloads, overwrite: true, signal })
  if (written.data === null) return { path: output, ...written.model }
  const hashes = new Map([[name, written.model.sha256], [`${name}.data`, written.data.sha256]])
  return { path: output, sizeBytes: written.model.sizeBytes + written.data.sizeBytes, sha256: hashList(hashes), hashes }
}
