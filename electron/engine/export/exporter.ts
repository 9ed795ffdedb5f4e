/** @file What an exporter is: one a target, in a table. It writes what the job has quantized and says exactly how large it will be. */
import type { Context } from '../../contract/events.ts'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import type { Tokenizer } from '../io/tokenizer.ts'
import type { DecoderModel } from '../session/model.ts'

/** The quantized bytes of a layer, in its codec's block layout. */
export type ReadBlob = (layer: string) => Promise<Uint8Array>

export interface ExportTask {
  readonly model: DecoderModel
  readonly tokenizer: Tokenizer
  readonly recipe: Recipe
  readonly blob: ReadBlob
  /** Folder that receives the files. */
  readonly out: string
  /** Key-values to embed beside the recipe: measured numbers, data hash. */
  readonly notes: Readonly<Record<string, string | number>>
}

export interface Exported {
  /** The file or folder to open. */
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
}

export interface Exporter {
  /** Exact bytes of everything that will be written for this choice. */
  size(task: Omit<ExportTask, 'blob' | 'recipe' | 'notes'>, choice: readonly LayerChoice[]): Promise<number>
  write(task: ExportTask, context: Context): Promise<Exported>
}
