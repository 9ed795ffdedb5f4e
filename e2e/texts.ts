/** @file Short texts for the specs, cut from the sample's own: enough to measure on, quick to read. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

export const sampleModel = path.join(path.dirname(import.meta.dirname), 'assets/sample-model')

export interface Texts { readonly calibration: string; readonly heldOut: string }

/** Writes both texts into `folder`; they share no line. */
export async function writeTexts(folder: string): Promise<Texts> {
  const cut = async (name: string, characters: number): Promise<string> => {
    const file = path.join(folder, name)
    const text = await readFile(path.join(sampleModel, name), 'utf8')
    await writeFile(file, text.slice(0, text.lastIndexOf('\n', characters)))
    return file
  }
  return { calibration: await cut('calibration.txt', 30_000), heldOut: await cut('validation.txt', 9_000) }
}

/** Copies the sample's model, without its texts, to a folder of the test's own. */
export async function copySample(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']) await copyFile(path.join(sampleModel, name), path.join(folder, name))
}
