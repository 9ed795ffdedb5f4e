/** @file What an exporter is: one a target, in a table. It writes what the job has quantized and says exactly how large it will be. */
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import { optionName } from '../../contract/options.ts'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import type { Tokenizer } from '../io/tokenizer.ts'
import type { DecoderModel } from '../session/model.ts'

/** The quantized bytes of a layer, in its codec's block layout. */
export type ReadBlob = (layer: string) => Promise<Uint8Array>

/** What made a file, written into it: the recipe without what follows from it. */
export type Provenance = Omit<Recipe, 'choice' | 'predicted' | 'memoryBytes' | 'version'>

/** What of a recipe goes into the file: names of model and data in place of their paths, which are nobody else's business. */
export function provenanceOf({ tool, model, data, target, budget, pins, metric, rounder, correction, adapterStorage, training, layout, seed }: Provenance): Provenance {
  const named = <T extends { readonly path: string }>(source: T): T => ({ ...source, path: path.basename(path.resolve(source.path)) })
  return { tool, model: named(model), data: data && named(data), target, budget, pins, metric, rounder, correction, ...(adapterStorage !== undefined && { adapterStorage }), ...(training !== undefined && { training }), ...(layout !== undefined && { layout }), seed }
}

/** Option of each layer by name, with its rank, as files tell it. */
export function chosenOptions(choice: readonly LayerChoice[]): Readonly<Record<string, string>> {
  return Object.fromEntries(choice.map(({ name, option, rank }) => [name, optionName({ codec: option, rank })]))
}

export interface ExportSource {
  readonly model: DecoderModel
  readonly tokenizer: Tokenizer
  readonly provenance: Provenance
}

export interface ExportTask extends ExportSource {
  readonly choice: readonly LayerChoice[]
  readonly blob: ReadBlob
  /** Branches of the layers whose choice has a rank; may be missing where none has. */
  readonly adapter?: AdapterSource | null
  /** Folder that receives the files. */
  readonly out: string
}

export interface ExportedFile {
  /** The file or folder to open. */
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
}

export interface Exported extends ExportedFile {
  /** Of everything that was written, the adapter included. */
  readonly sizeBytes: number
  /** Of the files of a folder, by name; what its own hash is made of. */
  readonly hashes?: ReadonlyMap<string, string>
  /** Low-rank branches in a file of their own. */
  readonly adapter?: ExportedFile
}

export interface Exporter {
  /** What `write` makes below `out`; '' where the folder itself is the model. */
  readonly fileName: string
  /** The file of what `write` gives back that has the blank for measured numbers; '' where it is the file itself. */
  readonly measuredIn: string
  /** Exact bytes of everything that will be written for this choice. */
  size(source: ExportSource, choice: readonly LayerChoice[]): Promise<number>
  /** Writes the files, over those of an earlier run. */
  write(task: ExportTask, context: Context): Promise<Exported>
}
