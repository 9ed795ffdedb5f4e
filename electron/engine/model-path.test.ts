import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { withFolder } from './io/temporary-folder.ts'
import { modelPath, trainedPath, writtenAdapter } from './model-path.ts'

test('the folder of a run means what it wrote and its correction, wherever the folder is now; others mean themselves', () => withFolder(async (folder) => {
  const run = (name: string, output: string): string => {
    mkdirSync(path.join(folder, name))
    writeFileSync(path.join(folder, name, 'report.json'), JSON.stringify({ output }))
    return path.join(folder, name)
  }
  const gguf = run('gguf', '/elsewhere/model.gguf')
  writeFileSync(path.join(gguf, 'model.gguf'), '')
  expect(await modelPath(gguf)).toBe(path.join(gguf, 'model.gguf'))
  expect(await writtenAdapter(gguf)).toEqual({})
  writeFileSync(path.join(gguf, 'report.json'), JSON.stringify({ output: 'model.gguf', adapter: { path: '/elsewhere/adapter.gguf' } }))
  expect(await writtenAdapter(gguf)).toEqual({})
  writeFileSync(path.join(gguf, 'adapter.gguf'), '')
  expect(await writtenAdapter(gguf)).toEqual({ adapter: path.join(gguf, 'adapter.gguf') })
  const onnx = run('onnx', 'out/model')
  mkdirSync(path.join(onnx, 'model'))
  expect(await modelPath(onnx)).toBe(path.join(onnx, 'model'))
  expect(await trainedPath(onnx)).toBe(path.join(onnx, 'model'))
  mkdirSync(path.join(onnx, 'job'))
  writeFileSync(path.join(onnx, 'job', 'recipe.json'), '{}')
  expect(await trainedPath(onnx)).toBe(onnx)
  const unfinished = run('unfinished', 'out/model.gguf')
  for (const other of [unfinished, path.join(gguf, 'model.gguf'), folder, path.join(folder, 'nothing')]) expect(await modelPath(other)).toBe(other)
}))
