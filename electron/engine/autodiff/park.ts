/** @file Where values wait between the forward and the backward pass: in memory, or in a folder, one file a value. */
import { readFile, rm, writeFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { typedArray } from '../graph/element.ts'
import type { DataType, Tensor } from '../../../kernels/kernels.ts'

export interface ValuePark {
  put(key: string, value: Tensor): Promise<void>
  /** The value, which stays. Throws for a key that was not put. */
  get(key: string): Promise<Tensor>
  drop(key: string): Promise<void>
}

export function memoryPark(): ValuePark {
  const values = new Map<string, Tensor>()
  return {
    put: (key, value) => Promise.resolve(void values.set(key, value)),
    get(key) {
      const value = values.get(key)
      return value === undefined ? Promise.reject(new Error(`nothing is parked under ${key}`)) : Promise.resolve(value)
    },
    drop: (key) => Promise.resolve(void values.delete(key)),
  }
}

/** Values as raw files in `folder`, which is made. */
export function folderPark(folder: string): ValuePark {
  const known = new Map<string, { readonly type: DataType; readonly dims: readonly number[]; readonly file: string }>()
  let count = 0
  return {
    async put(key, { type, dims, data }) {
      await mkdir(folder, { recursive: true })
      const file = known.get(key)?.file ?? path.join(folder, `${count++}.bin`)
      known.set(key, { type, dims, file })
      await writeFile(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    },
    async get(key) {
      const found = known.get(key)
      if (found === undefined) throw new Error(`nothing is parked under ${key}`)
      const bytes = await readFile(found.file)
      return { type: found.type, dims: found.dims, data: typedArray(found.type, bytes) }
    },
    async drop(key) {
      const found = known.get(key)
      known.delete(key)
      if (found !== undefined) await rm(found.file, { force: true })
    },
  }
}
