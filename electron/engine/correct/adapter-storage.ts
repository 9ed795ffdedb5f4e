/**
 * @file How the numbers of branches are stored, and what that takes. float16: 2 bytes each. int8: a byte each and a float16 scale for
 * every row of A and every column of B (one of each for every rank); in GGUF, whose 8-bit format has a scale for 32 numbers in
 * a row, a matrix whose rows are not whole blocks stays float16.
 */
import { AppError } from '../../contract/errors.ts'
import type { Target } from '../../contract/options.ts'
import type { adapterStorages } from '../../contract/recipe.ts'

export type AdapterStorage = (typeof adapterStorages)[number]

/** Weights in a block of Q8_0, and its bytes. */
const BLOCK = 32
const BLOCK_BYTES = 34
/** Bytes of a float16. */
const HALF = 2

/** GGUF's type for a matrix with rows of `cols` numbers. */
export function ggufStorageOf(storage: AdapterStorage, cols: number): 'F16' | 'Q8_0' {
  return storage === 'int8' && cols % BLOCK === 0 ? 'Q8_0' : 'F16'
}

function ggufMatrixBytes(storage: AdapterStorage, rows: number, cols: number): number {
  return ggufStorageOf(storage, cols) === 'Q8_0' ? (rows * cols * BLOCK_BYTES) / BLOCK : rows * cols * HALF
}

function plainBytes(storage: AdapterStorage, rank: number, out: number, cols: number): number {
  return storage === 'int8' ? rank * (out + cols) + 2 * rank * HALF : rank * (out + cols) * HALF
}

const layouts: Readonly<Record<Target, (storage: AdapterStorage, rank: number, out: number, cols: number) => number>> = {
  gguf: (storage, rank, out, cols) => ggufMatrixBytes(storage, rank, cols) + ggufMatrixBytes(storage, out, rank),
  onnx: plainBytes,
  safetensors: plainBytes,
}

/** Bytes of a branch of `rank` beside a layer [out, in] in a target's files; 0 for rank 0. */
export function adapterBytes(target: Target, storage: AdapterStorage, rank: number, [out, cols]: readonly [number, number]): number {
  if (rank > 0 && target === 'safetensors' && storage === 'int8') throw new AppError('bad-recipe', 'a PEFT folder cannot hold int8 adapters', { hint: 'Store adapters as float16, or choose the target gguf or onnx.' })
  return layouts[target](storage, rank, out, cols)
}
