/** @file A model with trained norms in the place of its own, as everything that reads or exports it sees them. */
import { kernels } from '../../../kernels/kernels.ts'
import type { CodecName } from '../../contract/options.ts'
import type { DecoderModel } from '../session/model.ts'

/** `norms` by canonical name (`blocks.3.mlp_norm`, `final_norm`). Files keep them in the type the source has. */
export function withNorms(model: DecoderModel, norms: ReadonlyMap<string, Float32Array>): DecoderModel {
  if (norms.size === 0) return model
  const { checkpoint, places } = model
  const byTensor = new Map([...norms].map(([name, values]) => [places.get(name)?.tensor ?? name, { values, plus: places.get(name)?.source.plus ?? 0 }]))

  async function stored(tensor: string, type: CodecName): Promise<Uint8Array | null> {
    const norm = byTensor.get(tensor)
    if (norm === undefined) return null
    const shape = { rows: 1, cols: norm.values.length }
    const bytes = new Uint8Array(kernels().codecBytes(type, shape))
    await kernels().encode(type, shape, norm.plus === 0 ? norm.values : norm.values.map((value) => value - norm.plus), null, 'nearest', bytes)
    return bytes
  }

  return {
    ...model,
    async readExtras(block) {
      const prefix = block === null ? '' : `blocks.${block}.`
      return Object.fromEntries(Object.entries(await model.readExtras(block)).map(([name, own]) => [name, norms.get(prefix + name) ?? own]))
    },
    checkpoint: {
      ...checkpoint,
      async read(name, rows) {
        return (await stored(name, checkpoint.tensors.get(name)?.type as CodecName)) ?? checkpoint.read(name, rows)
      },
    },
  }
}
