import { copyFile, mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { openCheckpoint } from '../io/open.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openTokenizer } from '../io/tokenizer.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder } from '../session/model.ts'
import { gguf } from './gguf.ts'
import { chooseByTurns, decodeLayer, encodeLayers, provenance, smallTokenizer } from './testing.ts'

const goldens = path.join(import.meta.dirname, '../session/goldens')
const sample = path.join(import.meta.dirname, '../../../assets/sample-model')
const models = index.models.filter((model) => model.gguf)

/** Folder and golden GGUF of a family or of a variant of it. */
const cases = models.flatMap(({ name, variants }) => [
  { label: name, folder: name, config: 'config.json', golden: 'model.gguf' },
  ...variants.filter((variant) => variant.gguf).map((variant) => ({ label: `${name}, ${variant.name}`, folder: name, config: `${variant.name}.json`, golden: `${variant.name}.gguf` })),
])

test.each(cases)('$label in F16 is byte for byte what the gguf package wrote by llama.cpp’s conventions', async ({ folder, config, golden }) => {
  await withFolder(async (temporary) => {
    const source = path.join(temporary, 'source')
    await mkdir(source)
    await copyFile(path.join(goldens, folder, config), path.join(source, 'config.json'))
    await copyFile(path.join(goldens, folder, 'model.safetensors'), path.join(source, 'model.safetensors'))
    const model = await openDecoder(source, silent)
    const choice = chooseByTurns(model, 'gguf', ['F16'])
    const task = { model, tokenizer: smallTokenizer(), provenance, choice, blob: await encodeLayers(model, choice), out: temporary }
    const exported = await gguf.write(task, silent)
    expect(exported.sizeBytes).toBe((await stat(exported.path)).size)
    expect(await gguf.size(task, choice)).toBe(exported.sizeBytes)
    const ours = await openCheckpoint(exported.path)
    const theirs = await openCheckpoint(path.join(goldens, folder, golden))
    expect([...ours.tensors.keys()].sort()).toEqual([...theirs.tensors.keys()].sort())
    for (const [name, { type, shape }] of theirs.tensors) {
      expect(ours.tensors.get(name), name).toMatchObject({ type, shape })
      expect(Buffer.compare(await ours.read(name), await theirs.read(name)), name).toBe(0)
    }
    for (const [key, value] of Object.entries(theirs.metadata)) if (key !== 'general.name') expect(ours.metadata[key], key).toEqual(value)
    for (const one of [model, ours, theirs]) await one.close()
  })
})

describe.each(models)('$name quantized', ({ name }) => {
  test('reads back as the weights that were quantized, with the same spec', async () => {
    await withFolder(async (out) => {
      const model = await openDecoder(path.join(goldens, name), silent)
      const choice = chooseByTurns(model, 'gguf', ['Q8_0', 'Q4_0', 'F16', 'IQ4_NL', 'Q5_1', 'MXFP4'])
      const blob = await encodeLayers(model, choice)
      const exported = await gguf.write({ model, tokenizer: smallTokenizer(), provenance, choice, blob, out }, silent)
      const opened = await openDecoder(exported.path, silent)
      expect({ ...opened.spec, architecture: '', positions: null, norm: null, attentionScale: 0 }).toEqual({ ...model.spec, architecture: '', positions: null, norm: null, attentionScale: 0 })
      expect(opened.spec.norm.epsilon).toBeCloseTo(model.spec.norm.epsilon, 12)
      expect(opened.spec.attentionScale).toBeCloseTo(model.spec.attentionScale, 6)
      for (const one of choice) expect(await opened.readWeight(one.name), one.name).toEqual(await decodeLayer(model, one, blob))
      for (const block of [null, 0, model.spec.blocks - 1]) expect(await opened.readExtras(block)).toEqual(await model.readExtras(block))
      await model.close()
      await opened.close()
    })
  })
})

test('the tokenizer, the recipe and nothing else go along', async () => {
  await withFolder(async (out) => {
    const model = await openDecoder(path.join(goldens, 'llama'), silent)
    const choice = chooseByTurns(model, 'gguf', ['Q8_0', 'F16'])
    const exported = await gguf.write({ model, tokenizer: smallTokenizer(), provenance, choice, blob: await encodeLayers(model, choice), out }, silent)
    expect(await readdir(out)).toEqual(['model.gguf'])
    const tokenizer = await openTokenizer(exported.path)
    expect(Array.from(await tokenizer.encode('cab<s>"!'))).toEqual(Array.from(await smallTokenizer().encode('cab<s>"!')))
    expect(tokenizer).toMatchObject({ vocabulary: 96, bos: 0, eos: 1, addsBos: false, chatTemplate: '{{ messages }}' })
    const { metadata, close } = await openCheckpoint(exported.path).then((one) => ({ metadata: one.metadata, close: () => one.close() }))
    await close()
    await model.close()
    expect(metadata).toMatchObject({ 'general.quantization_version': 2, 'tokenizer.ggml.pre': 'gpt-2', 'tokenizer.ggml.model': 'gpt2' })
    const recipe: unknown = JSON.parse(String(metadata['halftone.recipe']))
    expect(recipe).toMatchObject({ tool: 'halftone test', choice: Object.fromEntries(choice.map(({ name, option }) => [name, option])) })
  })
})

test('the sample model keeps its tokens', async () => {
  await withFolder(async (out) => {
    const model = await openDecoder(sample, silent)
    const tokenizer = await openTokenizer(sample)
    const choice = chooseByTurns(model, 'gguf', ['Q4_K', 'Q6_K'])
    const exported = await gguf.write({ model, tokenizer, provenance, choice, blob: await encodeLayers(model, choice), out }, silent)
    await model.close()
    const text = "Once upon a time, in 1865, there was a <|endoftext|> naïve ☃ cat.\n\n  It didn't mind."
    expect(await (await openTokenizer(exported.path)).encode(text)).toEqual(await tokenizer.encode(text))
  })
})

describe('what GGUF cannot hold', () => {
  test.each([
    ['opt', 'GGUF cannot hold the architecture opt'],
    ['mistral', 'GGUF cannot hold the sliding window'],
  ])('%s', async (name, message) => {
    const model = await openDecoder(path.join(goldens, name), silent)
    const task = { model, tokenizer: smallTokenizer(), provenance }
    const size = (): Promise<number> => gguf.size(task, chooseByTurns(model, 'gguf', ['F16']))
    await expect(Promise.resolve().then(size)).rejects.toThrow(message)
    await model.close()
  })

  test('an integer option, tied layers with different options', async () => {
    const model = await openDecoder(path.join(goldens, 'phi3'), silent)
    const choice = chooseByTurns(model, 'gguf', ['F16'])
    const size = (name: string, option: string): Promise<number> =>
      Promise.resolve().then(() => gguf.size({ model, tokenizer: smallTokenizer(), provenance }, choice.map((one) => (one.name === name ? { ...one, option } : one))))
    await expect(size('blocks.0.o', 'int4-g32')).rejects.toThrow('tensor blk.0.attn_output.weight: GGUF cannot hold the option int4-g32')
    await expect(size('blocks.0.k', 'Q8_0')).rejects.toThrow('GGUF stores them as one tensor')
    await model.close()
  })
})
