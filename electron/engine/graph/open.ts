/**
 * @file A session over a graph whose weights lie in files. Up to a gibibyte they travel in the message, so that the runtime may
 * fuse and repack them; above it, the protobuf format ends, they stay in buffers that the session uses in place.
 */
import { runtime } from '../../../kernels/runtime.ts'
import { byteLength } from './element.ts'
import { encodeModel } from './encode.ts'
import { INLINE_BYTES_MAX } from './limits.ts'
import { initializerBytes, initializerTensor } from './tensor.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../kernels/kernels.ts'
import type { Graph, Initializer } from './graph.ts'

const MESSAGE_BYTES_MAX = 1 << 30

/** Opens `graph` in the runtime. */
export async function openGraph(graph: Graph, options: SessionOptions = {}): Promise<NativeSession> {
  const values = [...graph.initializers.values()]
  const total = values.reduce((sum, { type, dims }) => sum + byteLength(type, dims), 0)
  const initializers = new Map<string, Initializer>()
  if (total <= MESSAGE_BYTES_MAX) {
    for (const value of values) initializers.set(value.name, { ...value, data: await initializerBytes(value) })
    return runtime().createSession(encodeModel({ ...graph, initializers }), options)
  }
  const shared: Record<string, Tensor> = {}
  for (const value of values) {
    const isSmall = byteLength(value.type, value.dims) <= INLINE_BYTES_MAX
    if (!isSmall) shared[value.name] = await initializerTensor(value)
    initializers.set(value.name, { ...value, data: isSmall ? await initializerBytes(value) : new Uint8Array(0) })
  }
  // Fusions would look for the weights in the message.
  return runtime().createSession(encodeModel({ ...graph, initializers }), { ...options, optimization: 'none', initializers: { ...options.initializers, ...shared } })
}
