import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it, describe } from 'vitest'
import { silent } from '../../contract/events.ts'
import { kernels } from '../../../kernels/kernels.ts'
import { openModelTokenizer } from '../calibrate/calibration.ts'
import { openCheckpoint } from '../io/open.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import type { Provenance } from './exporter.ts'
import { gguf } from './gguf.ts'

const goldens = path.join(import.meta.dirname, '../session/goldens')
const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const provenance: Provenance = {
  tool: 'test', model: { path: 'm', sha256: '' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 16 }, pins: {}, metric: 'sqnr', rounder: 'nearest', correction: 'none', seed: 0,
}

async function encodedAs(model: DecoderModel, option: 'F32' | 'Q4_0', name: string): Promise<Uint8Array> {
  const layer = model.layers.find((one) => one.name === name)
  const [rows, cols] = layer?.shape ?? [0, 0]
  const bytes = new Uint8Array(kernels().codecBytes(option, { rows, cols }))
  await kernels().encode(option, { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
  return bytes
}

function exportTask(model: DecoderModel, tokenizer: Tokenizer, option: 'F32' | 'Q4_0', out: string) {
  const choice = model.layers.map(({ name }) => ({ name, option, rank: 0, bytes: 0, predictedLoss: 0 }))
  return { model, tokenizer, provenance, choice, out, blob: (name: string) => encodedAs(model, option, name) }
}

describe('GGUF export', () => {
  // model.gguf beside each folder was written by the gguf Python package with llama.cpp's conventions (make_family_goldens.py).
  it.each(index.models.filter((one) => one.gguf))('$name: the tensors of an independent writer', async ({ name }) => {
    const model = await openDecoder(path.join(goldens, name), silent)
    const tokenizer = await openTokenizer(sample) // the tiny models have none of their own; only its presence matters here
    const short = { ...tokenizer, file: { ...tokenizer.file, tokens: tokenizer.file.tokens.slice(0, model.spec.vocabulary), added: [] } }
    await withFolder(async (out) => {
      const task = exportTask(model, short, 'F32', out)
      const written = await gguf.write(task, silent)
      expect(written.sizeBytes).toBe(await gguf.size(task, task.choice))
      expect((await readFile(written.path)).length).toBe(written.sizeBytes)
      const ours = await openCheckpoint(written.path)
      const theirs = await openCheckpoint(path.join(goldens, name, 'model.gguf'))
      expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort())
      for (const [tensor, { shape }] of theirs.tensors) {
        expect(ours.tensors.get(tensor)?.shape).toEqual(shape)
        expect(await ours.readFloat(tensor), tensor).toEqual(await theirs.readFloat(tensor))
      }
      for (const [key, value] of Object.entries(theirs.metadata)) {
        if (key.startsWith(`${model.spec.architecture.replace('_text', '')}.`)) expect(ours.metadata[key], key).toEqual(value)
      }
      await ours.close()
      await theirs.close()
    })
    await model.close()
  })

  it('gives the sample model back with its tokenizer', async () => {
    const model = await openDecoder(sample, silent)
    const tokenizer = await openModelTokenizer(model)
    await withFolder(async (out) => {
      const written = await gguf.write(exportTask(model, tokenizer, 'Q4_0', out), silent)
      const again = await openDecoder(written.path, silent)
      const dense = new Float32Array(256 * 256)
      await kernels().decode('Q4_0', { rows: 256, cols: 256 }, await encodedAs(model, 'Q4_0', 'blocks.2.q'), dense)
      expect(await again.readWeight('blocks.2.q')).toEqual(dense)
      expect(again.spec).toEqual({ ...model.spec, architecture: 'llama', norm: { ...model.spec.norm, epsilon: Math.fround(1e-5) } })
      const text = 'And it came to pass in those days, that 17 men went out.'
      expect(await (await openTokenizer(written.path)).encode(text)).toEqual(await tokenizer.encode(text))
      await again.close()
    })
    await model.close()
  })

  it('refuses different options inside one tensor', async () => {
    const model = await openDecoder(path.join(goldens, 'phi3'), silent)
    const task = exportTask(model, await openTokenizer(sample), 'F32', '')
    const choice = task.choice.map((one) => (one.name === 'blocks.0.v' ? { ...one, option: 'F16' } : one))
    expect(() => gguf.size(task, choice)).toThrow(/blocks\.0\.v and blocks\.0\.q have different options/)
    await model.close()
  })
})
