/** @file An exporter whose format keeps low-rank branches in a file of their own: beside the model, counted in its size. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { assert } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import { ggufAdapterSize, writeGgufAdapter } from './adapter-gguf.ts'
import { peftAdapterSize, writePeftAdapter } from './adapter-peft.ts'
import { chosenOptions, type Exported, type Exporter, type ExportSource } from './exporter.ts'

interface AdapterFile {
  /** What is written below the exporter's folder. */
  readonly name: string
  size(source: ExportSource, adapter: Pick<AdapterSource, 'branches'>, choice: readonly LayerChoice[]): number
  write(file: string, source: ExportSource, adapter: AdapterSource, choice: readonly LayerChoice[], context: Pick<Context, 'signal'>): Promise<Exported>
}

const unread = (layer: string): Promise<never> => Promise.reject(new Error(`the branch of ${layer} is not read to know a size`))
const ggufOptions = ({ provenance }: ExportSource, choice: readonly LayerChoice[]): Parameters<typeof ggufAdapterSize>[2] =>
  ({ storage: provenance.adapterStorage ?? 'float16', provenance: { ...provenance, choice: chosenOptions(choice) } })

/** For llama.cpp's --lora. */
export const ggufAdapter: AdapterFile = {
  name: 'adapter.gguf',
  size: (source, { branches }, choice) => ggufAdapterSize(source.model, { branches, read: unread }, ggufOptions(source, choice)),
  write: (file, source, adapter, choice, context) => writeGgufAdapter(file, source.model, adapter, ggufOptions(source, choice), context),
}

/** For PeftModel.from_pretrained over the exported model. */
export const peftAdapter: AdapterFile = {
  name: 'adapter',
  size: ({ model }, { branches }) => peftAdapterSize(model, { branches, read: unread }),
  write: (folder, { model }, adapter, _, context) => writePeftAdapter(folder, model, adapter, {}, context),
}

function branchesOf(choice: readonly LayerChoice[]): AdapterSource['branches'] {
  return new Map(choice.flatMap(({ name, rank }) => (rank > 0 ? [[name, { rank, alpha: rank }]] : [])))
}

/** `base` with the branches of a choice in `file`. */
export function withAdapter(base: Exporter, file: AdapterFile): Exporter {
  return {
    fileName: base.fileName,
    measuredIn: base.measuredIn,
    async size(source, choice) {
      const branches = branchesOf(choice)
      return (await base.size(source, choice)) + (branches.size === 0 ? 0 : file.size(source, { branches }, choice))
    },
    async write(task, context) {
      const exported = await base.write(task, context)
      const target = path.join(task.out, file.name)
      await rm(target, { recursive: true, force: true })
      if (branchesOf(task.choice).size === 0) return exported
      assert(task.adapter !== undefined && task.adapter !== null, 'layers with a rank have branches')
      const adapter = await file.write(target, task, task.adapter, task.choice, context)
      return { ...exported, sizeBytes: exported.sizeBytes + adapter.sizeBytes, adapter }
    },
  }
}
