import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { Adapter } from '../correct/adapter.ts'
import { adapterSource } from '../correct/adapter-source.ts'
import { mergeBranch } from '../correct/merge.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { adapt } from './adapt.ts'
import { writePeftAdapter } from './adapter-peft.ts'

const sample = path.join(import.meta.dirname, '../../../assets/sample-model')
/** float16 has 11 significant bits. */
const HALF_STEP = 2 ** -11

/** Branches of rank 2 with numbers about as large as the weights. */
function branches({ layers }: DecoderModel): Adapter {
  const random = createRandom(7)
  const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, () => Math.fround((random() - 0.5) / 2))
  return new Map(layers.filter(({ block }) => block !== null).map(({ name, shape: [rows, cols] }) => [name, { layer: name, rank: 2, alpha: 4, a: numbers(2 * cols), b: numbers(rows * 2) }]))
}

/** Largest error of a written layer, relative to the largest weight of W + (alpha/rank)·B·A. */
async function worstError(written: DecoderModel, model: DecoderModel, adapter: Adapter): Promise<number> {
  let worst = 0
  for (const [name, branch] of [...adapter].slice(0, 7)) {
    const expected = await mergeBranch(await model.readWeight(name), branch)
    const actual = await written.readWeight(name)
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    for (let at = 0; at < expected.length; at++) worst = Math.max(worst, Math.abs(actual[at] - expected[at]) / largest)
  }
  return worst
}

test('a merge holds W + BA to the last bit of float16; requantized it is as far off as its steps are wide', () => withFolder(async (folder) => {
  const model = await openDecoder(sample, silent)
  try {
    const adapter = branches(model)
    const file = path.join(folder, 'adapter')
    await writePeftAdapter(file, model, adapterSource(adapter), { type: 'F32' }, silent)
    const errorOf = async (form: 'merged' | 'requantized', option?: string): Promise<number> => {
      const { path: written } = await adapt({ model: sample, adapter: file, form, out: path.join(folder, form), ...(option !== undefined && { option }) }, silent)
      const opened = await openDecoder(written, silent)
      try {
        return await worstError(opened, model, adapter)
      } finally {
        await opened.close()
      }
    }
    expect(await errorOf('merged')).toBeLessThan(HALF_STEP)
    const requantized = await errorOf('requantized', 'int4-g64')
    expect(requantized).toBeGreaterThan(0.02)
    expect(requantized).toBeLessThan(0.2)
  } finally {
    await model.close()
  }
}))
