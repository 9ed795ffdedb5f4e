/**
 * @file NumPy's NPY format, strictly: magic, version, a header of three keys, then the values in C order. Values are read by rows,
 * so a file of many samples is never whole in memory.
 */
import type { DataType, Tensor } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { elementCount, typedArray } from '../graph/element.ts'

/** Bytes at hand from somewhere: a file, a stored entry of an archive, memory. */
export interface ByteSource {
  readonly where: string
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export interface NpyArray {
  readonly type: DataType
  readonly shape: readonly number[]
  /** Entries [first, first + count) along the first axis; of a scalar, the scalar. */
  rows(first: number, count: number): Promise<Tensor>
}

/** A header has a few dozen characters; NumPy pads it to 64 bytes. */
const HEADER_BYTES_MAX = 1 << 16
const DIMENSIONS_MAX = 32
const magic = '\u0093NUMPY'

/** NumPy's type codes, little-endian or of one byte. */
const types: Readonly<Record<string, DataType>> = {
  '<f4': 'float32', '<f8': 'float64', '<f2': 'float16', '|i1': 'int8', '|u1': 'uint8', '|b1': 'bool', '<i2': 'int16', '<u2': 'uint16', '<i4': 'int32', '<u4': 'uint32', '<i8': 'int64', '<u8': 'uint64',
}
const widths: Readonly<Partial<Record<DataType, number>>> = { float32: 4, float64: 8, float16: 2, int8: 1, uint8: 1, bool: 1, int16: 2, uint16: 2, int32: 4, uint32: 4, int64: 8, uint64: 8 }

function bad(where: string, found: string, expected: string, hint = 'Save the array with numpy.save or numpy.savez.'): AppError {
  return new AppError('bad-data', `${where}: found ${found}, expected ${expected}`, { hint })
}

/** Reads the header. @throws AppError bad-data */
export async function openNpy(source: ByteSource): Promise<NpyArray> {
  const { where } = source
  const head = await source.read(0, Math.min(12, source.sizeBytes))
  if (head.length < 12 || Buffer.from(head.subarray(0, 6)).toString('latin1') !== magic) throw bad(where, 'no NumPy array', 'an array in NPY format')
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const [major = 0] = head.subarray(6, 7)
  if (major < 1 || major > 3) throw bad(where, `version ${major} of the format`, 'version 1, 2 or 3')
  const start = major === 1 ? 10 : 12
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > HEADER_BYTES_MAX || start + length > source.sizeBytes) throw bad(where, `a header of ${length} bytes`, 'one inside the file')
  const text = Buffer.from(await source.read(start, length)).toString('latin1')
  const { type, shape } = parseHeader(text, where)
  const width = widths[type] ?? 1
  const offset = start + length
  const expected = elementCount(shape) * width
  if (source.sizeBytes - offset !== expected) throw bad(where, `${source.sizeBytes - offset} bytes of values`, `${expected} for the shape [${shape.join(', ')}]`, 'The file is damaged or was not copied completely: save it again.')
  const rowBytes = shape.length === 0 ? width : elementCount(shape.slice(1)) * width
  return {
    type,
    shape,
    async rows(first, count) {
      const total = shape.length === 0 ? 1 : shape[0]
      if (first < 0 || count < 0 || first + count > total) throw bad(where, `rows ${first} to ${first + count} asked for`, `rows below ${total}`)
      const bytes = await source.read(offset + first * rowBytes, count * rowBytes)
      return { type, dims: shape.length === 0 ? [] : [count, ...shape.slice(1)], data: typedArray(type, bytes) }
    },
  }
}

/** `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` */
function parseHeader(text: string, where: string): { type: DataType; shape: number[] } {
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1]
  const tuple = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1]
  if (order === undefined || tuple === undefined) throw bad(where, `the header ${JSON.stringify(text.slice(0, 80))}`, 'keys descr, fortran_order and shape')
  if (descr === undefined || !Object.hasOwn(types, descr)) throw bad(where, `values of type ${descr ?? 'object or record'}`, `one of ${Object.keys(types).join(', ')}`, 'Convert it first, such as array.astype(numpy.float32).')
  if (order === 'True') throw bad(where, 'an array in Fortran order', 'C order', 'Save numpy.ascontiguousarray(array).')
  const shape = tuple.split(',').map((part) => part.trim()).filter((part) => part !== '').map(Number)
  if (shape.length > DIMENSIONS_MAX || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(elementCount(shape) * 8)) throw bad(where, `the shape (${tuple})`, 'whole sizes whose product is possible')
  return { type: types[descr], shape }
}
