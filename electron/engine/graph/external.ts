/**
 * @file Where a tensor's payload lies. External data must be a regular file inside the model's folder, links followed:
 * a model file may not make Halftone read anything else of the disk.
 */
import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { fileProblem, malformed } from '../io/problems.ts'
import type { Locate } from './decode-tensor.ts'

interface Found {
  readonly path: string
  readonly sizeBytes: number
}

/** A `Locate` for the model at `modelPath`; every external file is looked up once. */
export function locatePayloads(modelPath: string, modelBytes: number): Locate {
  const folder = realpathSync(path.dirname(modelPath))
  const files = new Map<string, Found>()

  function find(location: string, where: string): Found {
    const known = files.get(location)
    if (known !== undefined) return known
    const found = confine(folder, location, where)
    files.set(location, found)
    return found
  }

  return ({ location, offset, length }, expected, where) => {
    const file = location === null ? { path: modelPath, sizeBytes: modelBytes } : find(location, where)
    const size = length ?? file.sizeBytes - offset
    // A length of the rest of the file may run on into other tensors; a stated one must fit.
    if (length === null ? size < expected : size !== expected) throw malformed(where, `${size} bytes of data`, `${expected} bytes for its shape and type`)
    if (offset + expected > file.sizeBytes) throw malformed(where, `bytes ${offset} to ${offset + expected} of '${path.basename(file.path)}', which has ${file.sizeBytes}`, 'a range inside the file')
    return { path: file.path, offset, length: expected }
  }
}

function confine(folder: string, location: string, where: string): Found {
  const refuse = (found: string): AppError => malformed(where, `external data at '${location}': ${found}`, 'a file in the folder of the model', 'Put the data file beside the model, under the name the model gives, as a file and not a link to elsewhere.')
  if (location === '' || location.includes('\0')) throw refuse('no file name')
  if (path.isAbsolute(location) || /^[a-z]:|^[\\/]/i.test(location)) throw refuse('an absolute path')
  if (location.split(/[\\/]/).includes('..')) throw refuse("a path with '..'")
  const wanted = path.join(folder, location)
  try {
    const real = realpathSync(wanted)
    if (!real.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep)) throw refuse(`a link to '${real}'`)
    const info = statSync(real)
    if (!info.isFile()) throw refuse('not a regular file')
    return { path: real, sizeBytes: info.size }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      throw new AppError('file-missing', `${where}: external data '${location}' is not in ${folder}`, { hint: `Copy '${location}' into the folder of the model; both files belong together.`, details: { missing: wanted }, cause })
    }
    throw fileProblem(wanted, 'opening', cause)
  }
}
