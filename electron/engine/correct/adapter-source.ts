/** @file Branches whose numbers are read one layer at a time: of a job's folder, or of an adapter in memory. */
import { assert } from '../../contract/errors.ts'
import type { Adapter, LayerAdapter } from './adapter.ts'

export interface AdapterSource {
  readonly branches: ReadonlyMap<string, Pick<LayerAdapter, 'rank' | 'alpha'>>
  read(layer: string): Promise<LayerAdapter>
}

/** An adapter in memory as a source. */
export function adapterSource(adapter: Adapter): AdapterSource {
  return {
    branches: adapter,
    read(layer) {
      const branch = adapter.get(layer)
      assert(branch !== undefined, `no branch beside ${layer}`)
      return Promise.resolve(branch)
    },
  }
}
