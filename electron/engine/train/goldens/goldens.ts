/** @file Reads training.json and training.bin, which make_training_goldens.py wrote. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import type { CodecName } from '../../../contract/options.ts'
import { silent } from '../../../contract/events.ts'
import type { Adapter } from '../../correct/adapter.ts'
import { openDecoder, type DecoderModel } from '../../session/model.ts'
import { baseOfBlobs, type Base } from '../base/base.ts'
import type { TrainingWindow } from '../window.ts'

const Index = z.object({
  rank: z.number(),
  alpha: z.number(),
  top: z.number(),
  codecs: z.record(z.string(), z.string()),
  objectives: z.record(z.string(), z.object({ loss: z.number(), terms: z.record(z.string(), z.number()) })),
  arrays: z.record(z.string(), z.object({ type: z.enum(['float32', 'int32', 'uint8']), dims: z.array(z.number()), offset: z.number() })),
})

export interface Goldens {
  readonly index: z.infer<typeof Index>
  readonly model: DecoderModel
  /** The quantized student. */
  readonly base: Base
  readonly adapter: Adapter
  readonly windows: readonly TrainingWindow[]
  float(name: string): Float32Array
}

export async function openGoldens(): Promise<Goldens> {
  const index = Index.parse(JSON.parse(await readFile(path.join(import.meta.dirname, 'training.json'), 'utf8')))
  const data = new Uint8Array(await readFile(path.join(import.meta.dirname, 'training.bin')))
  const part = (name: string, size: number): ArrayBuffer => {
    const found = index.arrays[name]
    if (found === undefined) throw new Error(`no array ${name}`)
    return data.slice(found.offset, found.offset + found.dims.reduce((product, dim) => product * dim, size)).buffer
  }
  const model = await openDecoder(path.join(import.meta.dirname, '..', '..', 'session', 'goldens', 'llama'), silent)
  const inBlocks = model.layers.filter(({ block }) => block !== null)
  const codecs = new Map(inBlocks.map(({ name }) => [name, index.codecs[name.split('.')[2] ?? ''] as CodecName]))
  const float = (name: string): Float32Array => new Float32Array(part(name, 4))
  return {
    index, model, float,
    base: baseOfBlobs(model, codecs, (name) => Promise.resolve(new Uint8Array(part(`${name}.blocks`, 1)))),
    adapter: new Map(inBlocks.map(({ name }) => [name, { layer: name, rank: index.rank, alpha: index.alpha, a: float(`${name}.a`), b: float(`${name}.b`) }])),
    windows: [{ tokens: new Int32Array(part('window.0', 4)) }, { tokens: new Int32Array(part('window.1', 4)), mask: new Uint8Array(part('mask.1', 1)) }],
  }
}
