/** @file Storage types of tensors: how many bytes hold a block of how many weights, and the names both file formats use. */
import type { TensorInfo } from './checkpoint.ts'

export type StorageType = TensorInfo['type']

export interface Storage {
  /** Weights in a block. */
  readonly block: number
  /** Bytes of a block. */
  readonly bytes: number
}

/** Safetensors dtype → storage type and bytes of an element. */
export const safetensorsTypes = {
  F64: { type: 'F64', bytes: 8 },
  F32: { type: 'F32', bytes: 4 },
  F16: { type: 'F16', bytes: 2 },
  BF16: { type: 'BF16', bytes: 2 },
  I64: { type: 'I64', bytes: 8 },
  I32: { type: 'I32', bytes: 4 },
  I16: { type: 'I16', bytes: 2 },
  I8: { type: 'I8', bytes: 1 },
  U8: { type: 'U8', bytes: 1 },
  BOOL: { type: 'BOOL', bytes: 1 },
} as const satisfies Record<string, { type: StorageType; bytes: number }>
export type SafetensorsType = keyof typeof safetensorsTypes

interface GgufStorage extends Storage {
  readonly id: number
}

/** GGUF tensor types that can be read, by name. */
export const ggufStorage = {
  F32: { id: 0, block: 1, bytes: 4 },
  F16: { id: 1, block: 1, bytes: 2 },
  Q4_0: { id: 2, block: 32, bytes: 18 },
  Q4_1: { id: 3, block: 32, bytes: 20 },
  Q5_0: { id: 6, block: 32, bytes: 22 },
  Q5_1: { id: 7, block: 32, bytes: 24 },
  Q8_0: { id: 8, block: 32, bytes: 34 },
  Q2_K: { id: 10, block: 256, bytes: 84 },
  Q3_K: { id: 11, block: 256, bytes: 110 },
  Q4_K: { id: 12, block: 256, bytes: 144 },
  Q5_K: { id: 13, block: 256, bytes: 176 },
  Q6_K: { id: 14, block: 256, bytes: 210 },
  IQ2_XXS: { id: 16, block: 256, bytes: 66 },
  IQ2_XS: { id: 17, block: 256, bytes: 74 },
  IQ3_XXS: { id: 18, block: 256, bytes: 98 },
  IQ4_NL: { id: 20, block: 32, bytes: 18 },
  IQ3_S: { id: 21, block: 256, bytes: 110 },
  IQ2_S: { id: 22, block: 256, bytes: 82 },
  IQ4_XS: { id: 23, block: 256, bytes: 136 },
  I8: { id: 24, block: 1, bytes: 1 },
  I16: { id: 25, block: 1, bytes: 2 },
  I32: { id: 26, block: 1, bytes: 4 },
  I64: { id: 27, block: 1, bytes: 8 },
  F64: { id: 28, block: 1, bytes: 8 },
  BF16: { id: 30, block: 1, bytes: 2 },
  TQ1_0: { id: 34, block: 256, bytes: 54 },
  TQ2_0: { id: 35, block: 256, bytes: 66 },
  MXFP4: { id: 39, block: 32, bytes: 17 },
} as const satisfies Partial<Record<StorageType, GgufStorage>>
export type GgufStorageType = keyof typeof ggufStorage
export const ggufStorageTypes = Object.keys(ggufStorage).filter(isGgufStorageType)

export function isGgufStorageType(name: string): name is GgufStorageType {
  return Object.hasOwn(ggufStorage, name)
}

/** GGUF types known by name but not decoded, so that the refusal can say which one was found. */
export const ggufUnread: Readonly<Record<number, string>> = {
  4: 'Q4_2 (removed from ggml)', 5: 'Q4_3 (removed from ggml)', 9: 'Q8_1', 15: 'Q8_K', 19: 'IQ1_S', 29: 'IQ1_M',
  31: 'Q4_0_4_4 (removed from ggml)', 32: 'Q4_0_4_8 (removed from ggml)', 33: 'Q4_0_8_8 (removed from ggml)', 36: 'IQ4_NL_4_4 (removed from ggml)', 40: 'NVFP4', 41: 'Q1_0', 42: 'Q2_0',
}

/** GGUF type number → name, of those that can be read. */
export const ggufTypeNames: ReadonlyMap<number, GgufStorageType> = new Map(ggufStorageTypes.map((name) => [ggufStorage[name].id, name]))

/** The product of dimensions, or null where it is too large to be counted exactly. */
export function elementCount(shape: readonly number[]): number | null {
  let product = 1
  for (const dimension of shape) {
    product *= dimension
    if (!Number.isSafeInteger(product)) return null
  }
  return product
}
