/** @file A checkpoint: named tensors in a file or folder, read lazily, one at a time. It never sits in the JS heap whole. */
import type { CodecName, GgufReadType } from '../../contract/options.ts'

export interface TensorInfo {
  readonly name: string
  /** How the numbers are stored in the file. Integer types (int64 position tables and such) are listed but not readable as weights. */
  readonly type: CodecName | GgufReadType | 'F64' | 'I8' | 'I16' | 'I32' | 'I64' | 'U8' | 'BOOL'
  /** Outermost dimension first: a linear layer is [out, in] whatever the file's own order. */
  readonly shape: readonly number[]
  readonly file: string
  readonly offset: number
  readonly byteLength: number
}

export interface Checkpoint {
  readonly path: string
  readonly format: 'safetensors' | 'gguf'
  readonly sizeBytes: number
  /** In file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** GGUF key-values, or the safetensors `__metadata__`. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Content hash over every file of the checkpoint. */
  sha256(signal?: AbortSignal): Promise<string>
  /** The stored bytes of a tensor, or of `rows` [first, last) of it. */
  read(name: string, rows?: readonly [number, number]): Promise<Uint8Array>
  /** The values as float32, whatever the storage type; NaN and infinities are passed on. */
  readFloat(name: string, rows?: readonly [number, number]): Promise<Float32Array>
  close(): Promise<void>
}
