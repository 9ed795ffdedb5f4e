/**
 * @file The graph before the blocks: rows of the embedding table, scaled, with learned positions added and normed as the model
 * has it. `rows` [batch, time] index `embedding` [rows, hidden], which may hold only the rows a text needs.
 */
import { createBuilder } from '../builder.ts'
import type { Graph } from '../graph.ts'
import { norm } from './layers.ts'
import type { DecoderSpec } from './spec.ts'

/** Builds the embed graph: rows, embedding (and position rows [time, hidden], norm weights) → hidden [batch, time, hidden]. */
export function embedGraph(spec: DecoderSpec): Graph {
  const b = createBuilder()
  const table = b.input('embedding', 'float32', ['table', spec.hidden])
  let x = b.one('Gather', [table, b.input('rows', 'int64', ['batch', 'time'])], { axis: { int: 0 } })
  if (spec.embeddingScale !== 1) x = b.one('Mul', [x, b.floats(spec.embeddingScale)])
  if (spec.positions.kind === 'learned') x = b.one('Add', [x, b.input('positions', 'float32', ['time', spec.hidden])])
  if (spec.embeddingNorm) x = norm(b, spec, x, 'embedding_norm')
  b.output(b.one('Identity', [x], {}, { outputs: ['hidden'] }), 'float32', ['batch', 'time', spec.hidden])
  return b.build('embed')
}
