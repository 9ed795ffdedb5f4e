/** @file An initializer's numbers in memory, one tensor at a time. */
import { openBytes } from '../io/byte-file.ts'
import { typedArray } from './element.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Initializer } from './graph.ts'

/** The raw little-endian bytes of an initializer, read from its file where they lie outside. */
export async function initializerBytes({ name, data }: Initializer): Promise<Uint8Array> {
  if (data instanceof Uint8Array) return data
  const file = await openBytes(data.path)
  try {
    return await file.read(data.offset, data.length, `tensor '${name}'`)
  } finally {
    await file.close()
  }
}

export async function initializerTensor(initializer: Initializer): Promise<Tensor> {
  return { type: initializer.type, dims: initializer.dims, data: typedArray(initializer.type, await initializerBytes(initializer)) }
}
