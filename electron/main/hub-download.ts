/**
 * @file Downloads a model's files from the Hub through @huggingface/hub: what is there already is kept, a file cut off goes on
 * where it stopped, and every file is checked against the hash the Hub lists for it.
 */
import { downloadFile, listFiles, type ListFileEntry } from '@huggingface/hub'
import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AppError } from '../contract/errors.ts'
import type { Context } from '../contract/events.ts'
import type { HubModel } from '../contract/job.ts'

/** What a language model is read from, and what says its licence; other formats of the same weights stay on the Hub. */
const wanted = /^[^/]+\.(safetensors|safetensors\.index\.json)$|^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json$|^(tokenizer\.model|merges\.txt|vocab\.txt|README\.md|LICENSE.*)$/
/** A model has dozens of files, not thousands. */
const maxFiles = 2000

const hint = 'Check the connection and the name (owner/name), then resume: what was downloaded is kept.'

/** Downloads into `folder`; resolves to its path. `hubUrl` is the Hub unless a test brings its own. */
export async function downloadModel(model: HubModel, folder: string, { signal, report }: Context, hubUrl?: string): Promise<string> {
  const fetchIt: typeof fetch = (input, init) => fetch(input, { ...init, signal })
  const where = { repo: model.repo, revision: model.revision, fetch: fetchIt, ...(hubUrl !== undefined && { hubUrl }) }
  const files: ListFileEntry[] = []
  try {
    for await (const file of listFiles({ ...where, recursive: false })) {
      if (file.type === 'file' && wanted.test(file.path)) files.push(file)
      if (files.length > maxFiles) break
    }
  } catch (cause) {
    throw networkError(`${model.repo}: the list of files could not be read`, cause, signal)
  }
  if (!files.some((file) => file.path.endsWith('.safetensors'))) {
    throw new AppError('unsupported-architecture', `${model.repo}: holds no safetensors at revision ${model.revision}`, { hint: 'Choose a model that is published as safetensors, or open a GGUF file you have.' })
  }

  const total = files.reduce((sum, file) => sum + file.size, 0)
  const begun = performance.now()
  let [done, already] = [0, 0]
  await mkdir(folder, { recursive: true })
  report({ type: 'stage', stage: 'open', total })
  const advance = (item: string, bytes: number, isNew: boolean): void => {
    done += bytes
    if (!isNew) already += bytes
    const fetched = done - already
    report({ type: 'progress', stage: 'open', done, total, item, remainingMs: fetched > 0 ? ((performance.now() - begun) / fetched) * (total - done) : null })
  }
  for (const file of files) {
    signal.throwIfAborted()
    const target = path.join(folder, path.basename(file.path))
    const partial = `${target}.partial`
    if ((await sizeOf(target)) === file.size) {
      advance(file.path, file.size, false)
      continue
    }
    const have = Math.min((await sizeOf(partial)) ?? 0, file.size)
    const hash = startHash(file)
    if (have > 0) for await (const chunk of createReadStream(partial, { end: have - 1 })) hash.update(chunk as Uint8Array)
    advance(file.path, have, false)
    try {
      const blob = await downloadFile({ ...where, path: file.path, xet: false })
      if (!blob) throw new Error('the Hub no longer has it')
      const count = new Transform({
        transform(chunk: Uint8Array, _encoding, next) {
          hash.update(chunk)
          advance(file.path, chunk.byteLength, true)
          next(null, chunk)
        },
      })
      await pipeline(Readable.fromWeb(blob.slice(have, file.size).stream() as Parameters<typeof Readable.fromWeb>[0]), count, createWriteStream(partial, { flags: have > 0 ? 'r+' : 'w', start: have }), { signal })
    } catch (cause) {
      throw networkError(`${model.repo}/${file.path}: the download stopped`, cause, signal)
    }
    const [found, expected] = [hash.digest('hex'), expectedHash(file)]
    if (expected !== undefined && found !== expected) {
      await rm(partial, { force: true })
      throw new AppError('file-malformed', `${model.repo}/${file.path}: the hash of what arrived is ${found.slice(0, 12)}…, the Hub lists ${expected.slice(0, 12)}…`, { hint: 'The damaged file was removed. Resume to download it again.' })
    }
    await rename(partial, target)
  }
  return folder
}

/** Large files are listed with their SHA-256, small ones with git's blob id. */
function startHash(file: ListFileEntry): Hash {
  return file.lfs ? createHash('sha256') : createHash('sha1').update(`blob ${String(file.size)}\0`)
}
function expectedHash(file: ListFileEntry): string | undefined {
  return file.lfs ? file.lfs.oid.replace(/^sha256:/, '') : file.oid
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size // not there: nothing to keep
}

function networkError(what: string, cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return new AppError('cancelled', 'Cancelled', { cause })
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC') return new AppError('disk-full', `${what}: the disk is full`, { hint: 'Free some space; the download then goes on.', cause })
  return new AppError('network', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { hint, cause })
}
