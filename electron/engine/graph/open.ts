/** @file A session over a graph. Weights are read into buffers that the session uses in place: one copy in memory, none in the message. */
import { runtime } from '../../../kernels/runtime.ts'
import { encodeModel } from './encode.ts'
import { INLINE_BYTES_MAX } from './limits.ts'
import { initializerTensor } from './tensor.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../kernels/kernels.ts'
import type { Graph, Initializer } from './graph.ts'

/** Opens `graph` in the runtime. `weights` given already in memory (by initializer name) are not read again. */
export async function openGraph(graph: Graph, options: SessionOptions = {}, weights: Readonly<Record<string, Tensor>> = {}): Promise<NativeSession> {
  const initializers = new Map<string, Initializer>()
  const given: Record<string, Tensor> = { ...options.initializers }
  for (const value of graph.initializers.values()) {
    const known = weights[value.name]
    const isSmall = value.data instanceof Uint8Array && value.data.length <= INLINE_BYTES_MAX
    if (known === undefined && isSmall) initializers.set(value.name, value)
    else {
      given[value.name] = known ?? (await initializerTensor(value))
      initializers.set(value.name, { ...value, data: new Uint8Array(0) })
    }
  }
  return runtime().createSession(encodeModel({ ...graph, initializers }), { ...options, initializers: given })
}
