/**
 * @file A session over a graph whose weights lie in files. Up to a gibibyte they travel in the message, so that the runtime may
 * fuse and repack them; above it, where the protobuf format ends, they are inputs that the session fills in at every run.
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
export async function openGraph(graph: Graph, options: SessionOptions = {}, messageBytesMax = MESSAGE_BYTES_MAX): Promise<NativeSession> {
  const values = [...graph.initializers.values()]
  const total = values.reduce((sum, { type, dims }) => sum + byteLength(type, dims), 0)
  const initializers = new Map<string, Initializer>()
  if (total <= messageBytesMax) {
    for (const value of values) initializers.set(value.name, { ...value, data: await initializerBytes(value) })
    return runtime().createSession(encodeModel({ ...graph, initializers }), options)
  }
  const shared: Record<string, Tensor> = {}
  for (const value of values) {
    if (byteLength(value.type, value.dims) > INLINE_BYTES_MAX) shared[value.name] = await initializerTensor(value)
    else initializers.set(value.name, { ...value, data: await initializerBytes(value) })
  }
  const inputs = Object.entries(shared).map(([name, { type, dims }]) => ({ name, type, shape: dims }))
  const session = await runtime().createSession(encodeModel({ ...graph, initializers, inputs: [...graph.inputs, ...inputs] }), options)
  return {
    inputNames: session.inputNames.filter((name) => shared[name] === undefined),
    outputNames: session.outputNames,
    run: (feeds, fetches, signal) => session.run({ ...feeds, ...shared }, fetches, signal),
    dispose: () => session.dispose(),
  }
}
