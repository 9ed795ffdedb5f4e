/**
 * @file ONNX graphs as plain data: what the reader gives, the builder makes and the transformations map.
 * Weights stay outside (external ranges) or in small typed arrays; the graph itself is a few hundred objects.
 */
import type { DataType } from '../../../kernels/kernels.ts'

/** A dimension: a number, a symbol ('batch'), or null where nothing is known. */
export type Dimension = number | string | null

export interface ValueInfo {
  readonly name: string
  readonly type: DataType
  /** Null where not even the number of dimensions is known. */
  readonly shape: readonly Dimension[] | null
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: Initializer }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly graph: Graph }

export interface Node {
  readonly op: string
  /** '' is ai.onnx. */
  readonly domain: string
  readonly name: string
  /** '' stands for an optional input that is absent. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

export interface Initializer {
  readonly name: string
  readonly type: DataType
  readonly dims: readonly number[]
  /** Little-endian bytes, or a range of a file that is read when needed. */
  readonly data: Uint8Array | { readonly path: string; readonly offset: number; readonly length: number }
}

export interface Graph {
  readonly name: string
  /** Domain → version. */
  readonly opset: Readonly<Record<string, number>>
  readonly inputs: readonly ValueInfo[]
  readonly outputs: readonly ValueInfo[]
  readonly nodes: readonly Node[]
  readonly initializers: ReadonlyMap<string, Initializer>
  /** What is known of intermediate values. */
  readonly values: ReadonlyMap<string, ValueInfo>
  readonly metadata: Readonly<Record<string, string>>
}
