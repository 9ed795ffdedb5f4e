import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createBuilder } from '../graph/builder.ts'
import { encodeModel } from '../graph/encode.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openOnnxDecoder } from './onnx-open.ts'

const genai = {
  model: {
    context_length: 16, vocab_size: 3,
    decoder: {
      filename: 'model.onnx', head_size: 8, num_hidden_layers: 1, num_key_value_heads: 1,
      inputs: { input_ids: 'ids', attention_mask: 'mask', past_key_names: 'past.%d.k', past_value_names: 'past.%d.v' },
      outputs: { logits: 'logits', present_key_names: 'new.%d.k', present_value_names: 'new.%d.v' },
    },
  },
}

/** A "decoder" whose logits are one-hot of the token and whose cache grows by zeros. */
function model(): Uint8Array {
  const b = createBuilder({ '': 21 })
  const ids = b.input('ids', 'int64', [1, 'time'])
  b.input('mask', 'int64', [1, 'total'])
  b.output(b.one('OneHot', [ids, b.ints(3), b.floats([0, 1])], {}, { outputs: ['logits'] }), 'float32', [1, 'time', 3])
  for (const part of ['k', 'v']) {
    const past = b.input(`past.0.${part}`, 'float32', [1, 1, 'past', 8])
    const shape = b.one('Concat', [b.ints([1, 1]), b.one('Shape', [ids], { start: { int: 1 }, end: { int: 2 } }), b.ints([8])], { axis: { int: 0 } })
    const added = b.one('Expand', [b.floats(0), shape])
    b.output(b.one('Concat', [past, added], { axis: { int: 2 } }, { outputs: [`new.0.${part}`] }), 'float32', [1, 1, 'total', 8])
  }
  return encodeModel(b.build('stub'))
}

async function folderWith(folder: string, config: unknown, graph: Uint8Array | null = model()): Promise<string> {
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'genai_config.json'), JSON.stringify(config))
  if (graph !== null) await writeFile(path.join(folder, 'model.onnx'), graph)
  return folder
}

test('any folder of the convention opens, by its own names, and its cache is carried on', async () => {
  await withFolder(async (folder) => {
    const decoder = await openOnnxDecoder(await folderWith(folder, genai))
    expect(decoder).toMatchObject({ vocabulary: 3, contextLength: 16, path: folder })
    expect(decoder.sizeBytes).toBe((await readFile(path.join(folder, 'model.onnx'))).length + JSON.stringify(genai).length)
    expect([...(await decoder.logits(Int32Array.of(2, 0)))]).toEqual([0, 0, 1, 1, 0, 0])
    const first = await decoder.step(Int32Array.of(1, 1), null)
    const second = await decoder.step(Int32Array.of(2), first.cache)
    expect(second.cache.length).toBe(3)
    expect(second.cache.values['past.0.v'].dims).toEqual([1, 1, 3, 8])
    decoder.close()
    const byFile = await openOnnxDecoder(path.join(folder, 'model.onnx'))
    expect(byFile.vocabulary).toBe(3)
    byFile.close()
  })
})

const { decoder } = genai.model
test.each([
  ['a description without a model', {}, 'file-malformed', 'genai_config.json'],
  ['a model file outside the folder', { model: { ...genai.model, decoder: { ...decoder, filename: '../model.onnx' } } }, 'file-malformed', 'the name of a file in this folder'],
  ['more layers than the graph has', { model: { ...genai.model, decoder: { ...decoder, num_hidden_layers: 2 } } }, 'file-malformed', 'past.1.k'],
  ['logits that are not there', { model: { ...genai.model, decoder: { ...decoder, outputs: { ...decoder.outputs, logits: 'scores' } } } }, 'file-malformed', 'scores'],
])('%s is refused', async (_, config, code, text) => {
  await withFolder(async (folder) => {
    const error = await openOnnxDecoder(await folderWith(folder, config)).then(() => null, (cause: unknown) => cause)
    expect(error).toMatchObject({ code })
    expect(String(error)).toContain(text)
  })
})

test('a folder without a description, and one without its graph', async () => {
  await withFolder(async (folder) => {
    await expect(openOnnxDecoder(folder)).rejects.toMatchObject({ code: 'file-missing' })
    await folderWith(folder, genai, null)
    await expect(openOnnxDecoder(folder)).rejects.toMatchObject({ code: 'runtime-failed' })
  })
})

test('a vocabulary that is not the graph\'s is noticed at the first run', async () => {
  await withFolder(async (folder) => {
    const opened = await openOnnxDecoder(await folderWith(folder, { model: { ...genai.model, vocab_size: 4 } }))
    await expect(opened.logits(Int32Array.of(1))).rejects.toMatchObject({ code: 'runtime-failed' })
    opened.close()
  })
})
