/**
 * @file What an unfinished measurement keeps beside its map, so that it goes on where it was stopped: rounded options and the draws of
 * derivatives. It is of one model, data and settings; that of others is thrown away. Removed with the measurement's end.
 */
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import { makeFolder, readIfThere, writeWhole } from '../job/files.ts'
import { noDraws, type Draws } from './gradients/draws.ts'

const DrawsFile = z.object({ done: z.number(), values: z.record(z.string(), z.array(z.number())) })

export interface WorkFolder {
  readonly draws: Draws
  readonly saveDraws: (draws: Draws) => Promise<void>
  hasOption(layer: string, option: string): boolean
  option(layer: string, option: string): Promise<Uint8Array>
  saveOption(layer: string, option: string, bytes: Uint8Array): Promise<void>
  remove(): Promise<void>
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readIfThere(file)
  try {
    return bytes === undefined ? null : JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null // cut off by a crash of the machine: as if it were not there
  }
}

/** Opens `folder` for a measurement of this identity. */
export async function openWorkFolder(folder: string, identity: unknown): Promise<WorkFolder> {
  const manifest = path.join(folder, 'measurement.json')
  const drawsFile = path.join(folder, 'draws.json')
  const text = JSON.stringify(identity)
  if (JSON.stringify(await readJson(manifest)) !== text) {
    await rm(folder, { recursive: true, force: true })
    await makeFolder(folder)
    await writeWhole(manifest, text)
  }
  const nameOf = (layer: string, option: string): string => `${encodeURIComponent(layer)} ${option}.bin`
  const there = new Set(await readdir(folder))
  return {
    draws: DrawsFile.catch({ ...noDraws, values: {} }).parse(await readJson(drawsFile)),
    saveDraws: (draws) => writeWhole(drawsFile, JSON.stringify(draws)),
    hasOption: (layer, option) => there.has(nameOf(layer, option)),
    async option(layer, option) {
      const file = path.join(folder, nameOf(layer, option))
      const bytes = await readIfThere(file)
      if (bytes === undefined) throw new AppError('file-missing', `${file}: found nothing, expected an option that was rounded before`, { hint: 'It was removed while the measurement ran: measure again.' })
      return bytes
    },
    async saveOption(layer, option, bytes) {
      await writeWhole(path.join(folder, nameOf(layer, option)), bytes)
      there.add(nameOf(layer, option))
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
