/**
 * @file What a training run leaves: the branches for llama.cpp and for PEFT, and the model itself where its own bytes have changed or
 * where the branches belong into it (an ONNX graph).
 */
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { TrainReport } from '../../contract/training.ts'
import { adapterElements, type Adapter, type LayerAdapter } from '../correct/adapter.ts'
import { adapterSource } from '../correct/adapter-source.ts'
import { roundBranch } from '../correct/round-branch.ts'
import { writeGgufAdapter } from '../export/adapter-gguf.ts'
import { writePeftAdapter } from '../export/adapter-peft.ts'
import { exporters } from '../export/exporters.ts'
import type { ExportedFile } from '../export/exporter.ts'
import type { Tokenizer } from '../io/tokenizer.ts'
import { makeFolder } from '../job/files.ts'
import type { TrainSource } from './source.ts'
import type { TrainedWeights } from './trained.ts'
import { withBlobs } from './base/base.ts'
import { withNorms } from './with-norms.ts'

export type Outputs = Pick<TrainReport, 'adapter' | 'output' | 'sizeBytes' | 'bitsPerWeight'>

async function stored(adapter: Adapter, target: TrainSource['target']): Promise<Adapter> {
  const rounded = new Map<string, LayerAdapter>()
  for (const [layer, branch] of adapter) rounded.set(layer, await roundBranch(branch, 'float16', target))
  return rounded
}

async function writeModel({ base, target, provenance }: TrainSource, { blobs, norms }: TrainedWeights, adapter: Adapter, tokenizer: Tokenizer, out: string, context: Context): Promise<ExportedFile> {
  const trained = withBlobs(base, blobs)
  const inside = target === 'onnx' ? adapter : new Map<string, LayerAdapter>()
  const choice = base.model.layers.map(({ name, shape: [rows, cols] }): LayerChoice => ({ name, option: base.codec(name), rank: inside.get(name)?.rank ?? 0, bytes: rows * cols, predictedLoss: 0 }))
  const exporter = exporters[target]
  const folder = path.join(out, exporter.fileName === '' ? 'model' : '')
  await makeFolder(folder)
  return exporter.write({ model: withNorms(base.model, norms), tokenizer, provenance, choice, blob: (layer) => trained.bytes(layer), adapter: adapterSource(inside), out: folder }, context)
}

/** Writes everything below `out`; sizes count model and branches. */
export async function writeOutputs(source: TrainSource, weights: TrainedWeights, tokenizer: Tokenizer, out: string, context: Context): Promise<Outputs> {
  const { base: { model }, target, provenance } = source
  const adapter = await stored(weights.adapter, target)
  const files: { gguf: ExportedFile; peft: ExportedFile } | null = adapter.size === 0 ? null : {
    gguf: await writeGgufAdapter(path.join(out, 'adapter.gguf'), model, adapterSource(adapter), { storage: 'float16', provenance: { tool: provenance.tool } }, context),
    peft: await writePeftAdapter(path.join(out, 'adapter'), model, adapterSource(adapter), {}, context),
  }
  const isChanged = weights.blobs.size > 0 || weights.norms.size > 0
  const output = isChanged || (target === 'onnx' && adapter.size > 0) ? await writeModel(source, weights, adapter, tokenizer, out, context) : null
  const branches = target === 'onnx' ? 0 : (target === 'gguf' ? files?.gguf.sizeBytes : files?.peft.sizeBytes) ?? 0
  const sizeBytes = (output?.sizeBytes ?? source.sizeBytes) + branches
  const parameters = [...adapter.values()].reduce((sum, { rank, a, b }) => sum + adapterElements(rank, [b.length / rank, a.length / rank]), 0)
  return { adapter: files && { ...files, parameters }, output, sizeBytes, bitsPerWeight: (sizeBytes * 8) / model.elements }
}
