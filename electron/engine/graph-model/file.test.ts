import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { createEngine } from '../engine.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { graphFileOf } from './file.ts'

test('a folder of one ONNX file and no other weights is that graph; others stay what they are', () => withFolder(async (folder) => {
  const folderOf = (name: string, ...files: string[]): string => {
    mkdirSync(path.join(folder, name))
    for (const file of files) writeFileSync(path.join(folder, name, file), '')
    return path.join(folder, name)
  }
  const exported = folderOf('exported', 'config.json', 'tokenizer.json', 'Model é.ONNX')
  expect(await graphFileOf(exported)).toBe(path.join(exported, 'Model é.ONNX'))
  for (const other of [folderOf('decoder', 'model.onnx', 'genai_config.json'), folderOf('weights', 'config.json', 'model.safetensors', 'model.onnx'), folderOf('two', 'a.onnx', 'b.onnx'), folderOf('none'), path.join(exported, 'Model é.ONNX'), path.join(folder, 'nothing')]) {
    expect(await graphFileOf(other)).toBe(other)
  }
}))

test('what wants text, or an original to compare with, says so of a graph', () => withFolder(async (folder) => {
  const model = path.join(folder, 'model.onnx')
  writeFileSync(model, '')
  const engine = createEngine()
  await expect(engine.generate({ model, prompt: 'x' }, silent)).rejects.toThrow(/model\.onnx: found an ONNX graph, expected a language model/)
  await expect(engine.train({ model, data: 'x.jsonl', out: folder }, silent)).rejects.toThrow(/found an ONNX graph, expected a language model/)
  await expect(engine.evaluate({ model, text: 'x.npz' }, silent)).rejects.toThrow(/found an ONNX graph and no reference, expected its original graph/)
  await engine.close()
}))
