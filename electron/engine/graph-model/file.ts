/** @file Which paths are ONNX graphs: a file, or a folder that holds one and nothing that would make it a language model. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { genaiFile } from '../export/onnx-genai.ts'

/** Files by which a folder is a language model's, whatever else lies in it. */
const ofDecoders = /\.(safetensors|gguf)$/i

/** The only ONNX file of a folder without other weights, such as an exporter or `compress` wrote it; every other path as it is. */
export async function graphFileOf(source: string): Promise<string> {
  const info = await stat(source).catch(() => null)
  if (info?.isDirectory() !== true) return source
  const names = await readdir(source)
  const [only, ...others] = names.filter((name) => name.toLowerCase().endsWith('.onnx'))
  return only === undefined || others.length > 0 || names.some((name) => name === genaiFile || ofDecoders.test(name)) ? source : path.join(source, only)
}

/** Whether an ONNX file is a graph by itself: the decoder of an ONNX folder has its description beside it. */
export async function isLoneGraph(source: string): Promise<boolean> {
  return source.toLowerCase().endsWith('.onnx') && (await stat(path.join(path.dirname(source), genaiFile)).catch(() => null)) === null
}
