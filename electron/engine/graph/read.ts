/** @file Opens an ONNX file. Only nodes and small tensors are read; weights stay in the file (or its external data) as ranges. */
import path from 'node:path'
import { openBytes } from '../io/byte-file.ts'
import { malformed } from '../io/problems.ts'
import { decodeModel } from './decode.ts'
import { locatePayloads } from './external.ts'
import { inlineFunctions } from './functions.ts'
import { hoistWeights } from './hoist.ts'
import { liftConstants } from './lift.ts'
import { INLINE_BYTES_MAX } from './limits.ts'
import { initializerBytes } from './tensor.ts'
import { validate } from './validate.ts'
import { readSkeleton } from './wire.ts'
import type { Graph } from './graph.ts'

/** The graph of an ONNX file: local functions inlined, nodes in order of computation, all sizes checked. */
export async function readModel(modelPath: string): Promise<Graph> {
  const where = path.basename(modelPath)
  const file = await openBytes(modelPath)
  try {
    if (file.sizeBytes === 0) throw malformed(where, 'an empty file', 'an ONNX model')
    const bytes = await readSkeleton(file)
    const { graph, functions } = decodeModel(bytes, where, locatePayloads(path.resolve(modelPath), file.sizeBytes))
    return await withSmallTensors(validate(hoistWeights(liftConstants(inlineFunctions(graph, functions, where))), where))
  } finally {
    await file.close()
  }
}

/** Small tensors of external data in memory too: inference of shapes wants their numbers. */
async function withSmallTensors(graph: Graph): Promise<Graph> {
  const initializers = new Map(graph.initializers)
  for (const value of initializers.values()) {
    if (!(value.data instanceof Uint8Array) && value.data.length <= INLINE_BYTES_MAX) initializers.set(value.name, { ...value, data: await initializerBytes(value) })
  }
  return { ...graph, initializers }
}
