/**
 * @file Opens a checkpoint whatever its format, by content: a GGUF file, a safetensors file, a sharded set through its index, or a
 * folder with one of them.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { openBytes, type ByteFile } from './byte-file.ts'
import type { Checkpoint, TensorInfo } from './checkpoint.ts'
import { toFloat } from './float.ts'
import { readGgufHeader } from './gguf-header.ts'
import { sha256File, sha256Files, throwIfCancelled } from './hash.ts'
import { readJsonIfPresent } from './json.ts'
import { unpackCheckpoint } from './packed-checkpoint.ts'
import { fileProblem, malformed } from './problems.ts'
import { headerLength, readSafetensorsHeader } from './safetensors-header.ts'
import { INDEX_NAME, readShardIndex } from './shards.ts'

/** Stored bytes worth giving back before the garbage collector comes to them. */
const RELEASED_BYTES = 1 << 20

interface Contents {
  readonly format: Checkpoint['format']
  readonly files: readonly ByteFile[]
  readonly tensors: readonly TensorInfo[]
  readonly metadata: Checkpoint['metadata']
}

/** First bytes of files that people try instead, and what to say about them. */
const otherFormats: readonly { readonly bytes: readonly number[]; readonly name: string; readonly hint: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], name: 'a ZIP archive (a PyTorch checkpoint?)', hint: 'PyTorch checkpoints can run code when opened and are not read: use the safetensors version of the model.' },
  { bytes: [0x80], name: 'a Python pickle (a PyTorch checkpoint?)', hint: 'PyTorch checkpoints can run code when opened and are not read: use the safetensors version of the model.' },
  { bytes: [0x67, 0x67, 0x6d, 0x6c], name: 'an old GGML file', hint: 'Convert the model again with a current llama.cpp.' },
  { bytes: [0x89, 0x48, 0x44, 0x46], name: 'an HDF5 file', hint: 'Use the safetensors version of the model.' },
  { bytes: [0x08], name: 'an ONNX graph or another protobuf file', hint: 'ONNX graphs are opened as graphs, by a path that ends in .onnx.' },
  { bytes: [0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x20, 0x68, 0x74, 0x74, 0x70], name: 'a Git LFS pointer', hint: 'Only a reference was downloaded: run "git lfs pull" in the model folder.' },
]

async function readContents(file: ByteFile): Promise<Contents> {
  const first = await file.read(0, Math.min(16, file.sizeBytes), 'first bytes')
  if (Buffer.from(first.subarray(0, 4)).toString('latin1') === 'GGUF') {
    const { tensors, metadata } = await readGgufHeader(file)
    const parts = metadata['split.count']
    if (typeof parts === 'number' && parts > 1) {
      throw malformed(file.path, `one of ${parts} parts of a split GGUF`, 'a whole file', 'Join the parts with "llama-gguf-split --merge" and open the result.')
    }
    return { format: 'gguf', files: [file], tensors, metadata }
  }
  const other = otherFormats.find(({ bytes }) => bytes.every((byte, i) => first[i] === byte))
  const length = headerLength(first, file.sizeBytes)
  const opening = first[8] // the header begins with '{'
  if (length === null || opening !== 0x7b) {
    if (file.sizeBytes === 0) throw malformed(file.path, 'an empty file', 'a model')
    if (opening === 0x7b) throw malformed(`${file.path}: header length`, `more than the file's ${file.sizeBytes} bytes`, 'a header inside the file')
    throw malformed(file.path, other?.name ?? `first bytes ${Buffer.from(first.subarray(0, 8)).toString('hex')}`, 'a GGUF or safetensors file', other?.hint ?? 'Choose a .gguf, .safetensors or .onnx file, or the folder of a model; models of other frameworks are exported to ONNX first.')
  }
  const { tensors, metadata } = await readSafetensorsHeader(file)
  return { format: 'safetensors', files: [file], tensors, metadata }
}

async function openSingle(file: string): Promise<Contents> {
  const bytes = await openBytes(file)
  try {
    return await readContents(bytes)
  } catch (cause) {
    await bytes.close()
    throw cause
  }
}

async function openShards(indexPath: string, signal: AbortSignal | undefined): Promise<Contents> {
  const index = await readShardIndex(indexPath)
  const files: ByteFile[] = []
  const tensors = new Map<string, TensorInfo>()
  try {
    for (const shard of index.shards) {
      throwIfCancelled(signal)
      const file = await openBytes(shard)
      files.push(file)
      for (const tensor of (await readSafetensorsHeader(file)).tensors) {
        const twin = tensors.get(tensor.name)
        if (twin) throw malformed(`${shard}: tensor "${tensor.name}"`, `the same name as in ${path.basename(twin.file)}`, 'each tensor in one shard')
        tensors.set(tensor.name, tensor)
      }
    }
    for (const [name, shard] of index.weights) {
      if (tensors.get(name)?.file !== shard) throw malformed(`${indexPath}: weight_map "${name}"`, `no such tensor in ${path.basename(shard)}`, 'the shard that holds it')
    }
  } catch (cause) {
    await Promise.all(files.map((file) => file.close()))
    throw cause
  }
  return { format: 'safetensors', files, tensors: [...tensors.values()], metadata: index.metadata }
}

/** The file that stands for a folder: the shard index, model.safetensors, or the only .safetensors or .gguf file in it. */
async function findInFolder(folder: string): Promise<string> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw fileProblem(folder, 'reading', cause)
  })
  for (const name of [INDEX_NAME, 'model.safetensors']) if (names.includes(name)) return path.join(folder, name)
  const models = names.filter((name) => /\.(safetensors|gguf)$/i.test(name)).sort()
  const [only] = models
  if (models.length === 1 && only !== undefined) return path.join(folder, only)
  const choices = models.length > 0 ? models : names.filter((name) => /\.onnx$/i.test(name)).sort()
  const found = choices.length > 0 ? `${choices.length} model file${choices.length > 1 ? 's' : ''} (${choices.slice(0, 3).join(', ')}${choices.length > 3 ? ', …' : ''})` : names.length > 0 ? `only ${names.sort().slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}` : 'nothing'
  throw new AppError('file-missing', `${folder}: found ${found}, expected model.safetensors, ${INDEX_NAME} or one model file`, { hint: choices.length > 0 ? 'Choose one of the files.' : 'Choose the folder that holds the weights, or download them.' })
}

/** What the checkpoint's hash covers: the file itself, or for a folder the weights with their index and config.json. */
async function hashedFiles(source: string, folder: string | null, files: readonly ByteFile[]): Promise<{ name: string; path: string }[]> {
  const base = path.dirname(source)
  const paths = files.map((file) => file.path)
  if (source.endsWith('.json')) paths.push(source)
  const config = path.join(base, 'config.json')
  if (folder !== null && (await stat(config).catch(() => null))?.isFile()) paths.push(config)
  return paths.map((file) => ({ name: path.relative(base, file), path: file }))
}

function byteRange(tensor: TensorInfo, rows: readonly [number, number]): { offset: number; length: number; shape: number[] } {
  const [first, last] = rows
  const [count = 1, ...rest] = tensor.shape
  const stride = tensor.byteLength / count
  if (!(first >= 0 && first <= last && last <= count) || !Number.isInteger(first) || !Number.isInteger(last) || !Number.isInteger(stride)) {
    throw new AppError('bad-request', `${tensor.file}: tensor "${tensor.name}": asked for rows ${first} to ${last}, it has ${count}`)
  }
  return { offset: tensor.offset + first * stride, length: (last - first) * stride, shape: [last - first, ...rest] }
}

/**
 * Opens a model file or folder for reading by tensor. The header is checked whole; no weight is read yet.
 * @throws AppError file-missing, file-unreadable, file-malformed, unsupported-tensor
 */
export async function openCheckpoint(source: string, options: { readonly signal?: AbortSignal } = {}): Promise<Checkpoint> {
  throwIfCancelled(options.signal)
  const info = await stat(source).catch((cause: unknown) => {
    throw fileProblem(source, 'opening', cause)
  })
  const folder = info.isDirectory() ? source : null
  const main = folder === null ? source : await findInFolder(folder)
  const contents = main.endsWith('.json') ? await openShards(main, options.signal) : await openSingle(main)
  const { format, files, metadata } = contents
  const tensors = new Map(contents.tensors.map((tensor) => [tensor.name, tensor]))
  const byPath = new Map(files.map((file) => [file.path, file]))

  function locate(name: string, rows: readonly [number, number] | undefined): { tensor: TensorInfo; file: ByteFile; offset: number; length: number; shape: readonly number[] } {
    const tensor = tensors.get(name)
    const file = tensor && byPath.get(tensor.file)
    if (!tensor || !file) throw malformed(source, `no tensor "${name}"`, 'the tensors that this kind of model has', 'The file may hold another architecture, or only a part of the model.')
    return { tensor, file, ...(rows ? byteRange(tensor, rows) : { offset: tensor.offset, length: tensor.byteLength, shape: tensor.shape }) }
  }

  const base: Checkpoint = {
    path: source,
    format,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    tensors,
    metadata,
    async sha256(signal) {
      const list = await hashedFiles(main, folder, files)
      return list.length === 1 && folder === null ? sha256File(main, signal) : sha256Files(list, signal)
    },
    async read(name, rows) {
      const { file, offset, length } = locate(name, rows)
      return file.read(offset, length, `tensor "${name}"`)
    },
    async readFloat(name, rows) {
      const { tensor, file, offset, length, shape } = locate(name, rows)
      const bytes = await file.read(offset, length, `tensor "${name}"`)
      const values = await toFloat(tensor, shape, bytes)
      if (length >= RELEASED_BYTES && values.buffer !== bytes.buffer) await kernels().release([bytes])
      return values
    },
    async close() {
      await Promise.all(files.map((file) => file.close()))
    },
  }
  try {
    return format === 'gguf' ? base : await unpackCheckpoint(base, (await readJsonIfPresent(path.join(path.dirname(main), 'config.json')))?.quantization_config)
  } catch (cause) {
    await base.close()
    throw cause
  }
}
