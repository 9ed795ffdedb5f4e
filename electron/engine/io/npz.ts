/**
 * @file NumPy's NPZ archives: a ZIP of NPY files, stored or deflated. The directory at the end is read first; stored arrays are then
 * read by ranges, deflated ones unpacked one at a time, to no more bytes than the directory states.
 */
import { inflateRawSync } from 'node:zlib'
import { AppError } from '../../contract/errors.ts'
import { openBytes, type ByteFile } from './byte-file.ts'
import { openNpy, type ByteSource, type NpyArray } from './npy.ts'

export interface NpzFile {
  readonly arrays: ReadonlyMap<string, NpyArray>
  readonly close: () => Promise<void>
}

/** Arrays of one archive: one an input, with labels. */
const ENTRIES_MAX = 256
const NAME_BYTES_MAX = 512
/** A deflated array is unpacked whole. */
const INFLATED_BYTES_MAX = 2 ** 31 - 1
/** The end record with the longest comment. */
const END_BYTES_MAX = 22 + 65_535
const signatures = { end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50, entry: 0x02014b50, local: 0x04034b50 } as const
const stored = 0
const deflated = 8

interface Entry {
  readonly name: string
  readonly method: number
  readonly packed: number
  readonly size: number
  readonly offset: number
}

function bad(where: string, found: string, expected: string, hint = 'Save the arrays again with numpy.savez.'): AppError {
  return new AppError('bad-data', `${where}: found ${found}, expected ${expected}`, { hint })
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const whole = (view: DataView, at: number): number => Number(view.getBigUint64(at, true))

/** Opens an archive; no values are read. @throws AppError bad-data */
export async function openNpz(path: string): Promise<NpzFile> {
  const file = await openBytes(path)
  try {
    const arrays = new Map<string, NpyArray>()
    for (const entry of await readEntries(file)) {
      if (!entry.name.endsWith('.npy')) continue
      arrays.set(entry.name.slice(0, -'.npy'.length), await openNpy(await sourceOf(file, entry)))
    }
    if (arrays.size === 0) throw bad(path, 'no arrays', 'an archive of NumPy arrays')
    return { arrays, close: () => file.close() }
  } catch (cause) {
    await file.close()
    throw cause
  }
}

async function readEntries(file: ByteFile): Promise<Entry[]> {
  const { path, sizeBytes } = file
  const tailStart = Math.max(0, sizeBytes - END_BYTES_MAX)
  const tail = await file.read(tailStart, sizeBytes - tailStart, 'the directory')
  const view = viewOf(tail)
  let at = tail.length - 22
  while (at >= 0 && view.getUint32(at, true) !== signatures.end) at--
  if (at < 0) throw bad(path, 'no ZIP directory', 'an archive of NumPy arrays (.npz)')
  let count = view.getUint16(at + 10, true)
  let length = view.getUint32(at + 12, true)
  let start = view.getUint32(at + 16, true)
  if (at >= 20 && view.getUint32(at - 20, true) === signatures.locator64) {
    const record = viewOf(await file.read(whole(view, at - 12), 56, 'the directory'))
    if (record.getUint32(0, true) !== signatures.end64) throw bad(path, 'a damaged directory', 'a ZIP64 record')
    count = whole(record, 32)
    length = whole(record, 40)
    start = whole(record, 48)
  }
  if (count > ENTRIES_MAX) throw bad(path, `${count} arrays`, `at most ${ENTRIES_MAX}`)
  if (length > ENTRIES_MAX * 1024) throw bad(path, `a directory of ${length} bytes`, 'a directory of a few arrays')
  return parseEntries(await file.read(start, length, 'the directory'), count, path)
}

function parseEntries(bytes: Uint8Array, count: number, path: string): Entry[] {
  const view = viewOf(bytes)
  const entries: Entry[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== signatures.entry) throw bad(path, 'a damaged directory', `${count} entries`)
    const [nameLength, extraLength, commentLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)]
    const end = at + 46 + nameLength + extraLength
    if (nameLength > NAME_BYTES_MAX || end > bytes.length) throw bad(path, 'a damaged directory', 'names inside it')
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameLength)).toString('utf8')
    const sizes = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)]
    const [size, packed, offset] = wide(sizes, viewOf(bytes.subarray(at + 46 + nameLength, end)))
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw bad(`${path}: ${name}`, 'an encrypted entry', 'a plain one')
    entries.push({ name, method: view.getUint16(at + 10, true), packed, size, offset })
    at = end + commentLength
  }
  return entries
}

/** Sizes of 32 bits that are all ones stand in the extra field, in 64 bits, in the same order. */
function wide(sizes: readonly number[], extra: DataView): number[] {
  let at = 0
  while (at + 4 <= extra.byteLength && extra.getUint16(at, true) !== 1) at += 4 + extra.getUint16(at + 2, true)
  let next = at + 4
  return sizes.map((size) => {
    if (size !== 0xffffffff || next + 8 > extra.byteLength) return size
    next += 8
    return whole(extra, next - 8)
  })
}

async function sourceOf(file: ByteFile, { name, method, packed, size, offset }: Entry): Promise<ByteSource> {
  const where = `${file.path}: ${name}`
  const local = viewOf(await file.read(offset, 30, name))
  if (local.getUint32(0, true) !== signatures.local) throw bad(where, 'a damaged entry', 'a ZIP entry')
  const start = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true)
  if (start + packed > file.sizeBytes) throw bad(where, `bytes ${start} to ${start + packed} of a file of ${file.sizeBytes}`, 'a range inside the file', 'The file was not copied completely: save it again.')
  if (method === stored) {
    if (packed !== size) throw bad(where, `${packed} stored bytes`, `${size}`)
    return { where, sizeBytes: size, read: (first, length) => file.read(start + first, length, name) }
  }
  if (method !== deflated) throw bad(where, `compression method ${method}`, 'stored or deflated entries')
  if (size > INFLATED_BYTES_MAX) throw bad(where, `${size} bytes when unpacked`, `at most ${INFLATED_BYTES_MAX}`, 'Save it without compression (numpy.savez).')
  let unpacked: Uint8Array | undefined
  const unpack = async (): Promise<Uint8Array> => {
    const bytes = await file.read(start, packed, name)
    try {
      return inflateRawSync(bytes, { maxOutputLength: size })
    } catch (cause) {
      throw new AppError('bad-data', `${where}: found data that cannot be unpacked to ${size} bytes, expected a deflated array`, { hint: 'The file is damaged: save it again.', cause })
    }
  }
  return {
    where,
    sizeBytes: size,
    async read(first, length) {
      unpacked ??= await unpack()
      if (first + length > unpacked.length) throw bad(where, `${unpacked.length} bytes when unpacked`, `${size}`)
      return unpacked.slice(first, first + length)
    },
  }
}
