/** @file A graph that stays open between plans, with what a sample told of it. */
import type { CodecName } from '../../contract/options.ts'
import { openGraphModel, type GraphModel } from './open.ts'
import type { Survey } from './survey.ts'
import { writtenBytes } from './written-bytes.ts'

export interface OpenedGraph {
  readonly model: GraphModel
  /** By data and settings; null for data that is gone. */
  readonly surveys: Map<string, Promise<Survey | null>>
  /** Bytes in the file by layer and option. */
  readonly bytes: ReadonlyMap<string, ReadonlyMap<CodecName, number>>
}

/** Opens a graph to plan for. @throws AppError as openGraphModel */
export async function openPlannedGraph(source: string): Promise<OpenedGraph> {
  const model = await openGraphModel(source)
  return { model, surveys: new Map(), bytes: await writtenBytes(model) }
}
