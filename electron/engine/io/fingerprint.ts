/** @file Whether files on disk are still those that were read: names, sizes and times of change, without reading them. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

/** What a model file may be read together with: configuration, tokenizer, weights in other files. */
const companion = /\.(json|model|txt|jinja|safetensors|onnx|data|bin)$/i

/**
 * A text that changes when the file, a file it is read together with, or anything in the folder changes. A path that is not
 * there has one too, so that the reader can say so.
 */
export async function fingerprint(source: string): Promise<string> {
  const absolute = path.resolve(source)
  const found = await stat(absolute).catch(() => undefined)
  if (!found) return `${absolute}: missing`
  const folder = found.isDirectory() ? absolute : path.dirname(absolute)
  const names = (await readdir(folder)).filter((name) => found.isDirectory() || name === path.basename(absolute) || companion.test(name)).sort()
  const parts = await Promise.all(names.map(async (name) => {
    const info = await stat(path.join(folder, name)).catch(() => undefined) // removed between the two looks
    return info?.isFile() === true ? `${name} ${info.size} ${info.mtimeMs}` : ''
  }))
  return [absolute, ...parts].join('\n')
}
