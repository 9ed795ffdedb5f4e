/**
 * @file The typed face of the native addon. Everything long is a promise and runs off the event loop; buffers are
 * allocated by JavaScript. Shapes are given as `rows` = out features, `cols` = in features, row-major.
 */
import { createRequire } from 'node:module'
import path from 'node:path'
import { AppError } from '../electron/contract/errors.ts'
import type { CodecName, GgufReadType } from '../electron/contract/options.ts'

export const dataTypes = [
  'undefined', 'float32', 'uint8', 'int8', 'uint16', 'int16', 'int32', 'int64', 'string', 'bool', 'float16', 'float64', 'uint32', 'uint64', 'complex64', 'complex128', 'bfloat16',
  'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'uint4', 'int4', 'float4e2m1', 'float8e8m0', 'uint2', 'int2',
] as const
/** ONNX element types; the position in `dataTypes` is the number used in ONNX files. */
export type DataType = (typeof dataTypes)[number]

/** A dense tensor in memory: float16, bfloat16 in a Uint16Array, bool in a Uint8Array, packed types in a Uint8Array. */
export interface Tensor {
  readonly type: DataType
  readonly dims: readonly number[]
  readonly data: Float32Array | Float64Array | Uint8Array | Int8Array | Uint16Array | Int16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array
}

export type Provider = 'cpu' | 'webgpu' | 'dml' | 'coreml' | 'cuda'

export interface SessionOptions {
  readonly threads?: number
  readonly optimization?: 'none' | 'basic' | 'extended' | 'all' // default all
  readonly providers?: readonly Provider[]
  /** ONNX Runtime session configuration entries. `session.intra_op.allow_spinning` is 0 unless given. */
  readonly config?: Readonly<Record<string, string>>
  readonly memoryPattern?: boolean // default true
  readonly arena?: boolean // default true
  /** Initializers given from memory, shared with the caller's buffers. */
  readonly initializers?: Readonly<Record<string, Tensor>>
}

export interface NativeSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /**
   * Runs off the event loop. `fetches` names the outputs wanted: a tensor is written in place, null asks for a new one.
   * A shared signal may cancel many runs; aborting rejects with an AppError of code 'cancelled'.
   */
  run(feeds: Readonly<Record<string, Tensor>>, fetches: Readonly<Record<string, Tensor | null>>, signal?: AbortSignal): Promise<Record<string, Tensor>>
  dispose(): void
}

/** A session as the addon gives it; `runtime.ts` makes a NativeSession of it. */
export interface RawSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** The promise gives the outputs that were not written in place. `cancel` ends the run at the next operator. */
  start(feeds: Readonly<Record<string, Tensor>>, fetches: Readonly<Record<string, Tensor | null>>): { readonly promise: Promise<Record<string, Tensor>>; readonly cancel: () => void }
  dispose(): void
}

export interface Shape { readonly rows: number; readonly cols: number }
export type FitMethod = 'nearest' | 'search'

/** Weight i of a block is steps[p]·level + offsets[p], p = ⌊i / part⌋, with a whole level in [first, last], or one of `levels`. */
export interface BlockGrid {
  readonly part: number
  readonly steps: Float32Array
  readonly offsets: Float32Array
  readonly first: number
  readonly last: number
  readonly levels?: Float32Array
}

/** Attributes of QMatMul: `group` is 0 for a whole row; without `zeros` zero points are 2^(bits − 1). */
export interface PlaneFormat { readonly bits: 2 | 3 | 4 | 8; readonly group: number; readonly zeros: boolean }

export interface GptqOptions {
  /** Fit the parameters of a block on weights already carrying the error of the columns before it (default), or all beforehand. */
  readonly staticGroups?: boolean
  readonly fit?: FitMethod // default search
  /** Improve each super-block after error feedback: coordinate descent, refitted parameters, other orders. Default true. */
  readonly improve?: boolean
  /** Other orders of the columns tried whenever a super-block is worked on. Default 1. */
  readonly restarts?: number
  /** H = XᵀX, [cols, cols]. With it, whole rows are improved in sweeps after the feedback. */
  readonly hessian?: Float64Array
  /** Sweeps over whole rows, where there is a Hessian. Default 1; each costs about as much as the rest. */
  readonly sweeps?: number
  /** Damping of the Hessian in the sweeps, as a share of its mean diagonal. Default 0.01; the factor's is best at 0.1. */
  readonly damp?: number
}

/** The definitions behind the linear algebra of `Kernels`; same arguments, new results. */
export interface LinalgReference {
  matmul(a: Float32Array, b: Float32Array, m: number, n: number, k: number, transposeA: boolean, transposeB: boolean): Float64Array
  /** XᵀX over the rows of x [tokens, cols] that are finite. */
  gram(x: Float32Array, tokens: number, cols: number): Float64Array
  cholesky(matrix: Float64Array, n: number): Float64Array
  /** By way of the inverse itself; no dead columns, no raised damping. */
  inverseFactor(hessian: Float64Array, n: number, damp: number): Float64Array
  outputError(a: Float32Array, b: Float32Array, shape: Shape, hessian: Float64Array): number
  /** Textbook GPTQ in double; of the options, `staticGroups` and `fit` count. */
  gptq(codec: CodecName, shape: Shape, weights: Float32Array, factor: Float32Array, importance: Float32Array | null, options: GptqOptions, out: Uint8Array): void
}

/** Learning rate, moment decays, ε, decoupled weight decay, and the step from 1. */
export interface AdamOptions {
  readonly lr: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  readonly step: number
}

export interface Kernels {
  setThreads(count: number): void
  /**
   * Gives the memory of arrays back to the system, off the event loop; they, and all views of their buffers, are empty afterwards and must
   * not be in use. For large arrays: the garbage collector would come to them later, and the event loop would wait for it.
   */
  release(arrays: readonly (Float32Array | Float64Array | Uint8Array)[]): Promise<void>
  /** The instruction set that the kernels use: the last of `simdSets`, unless another was chosen by `setSimd` or by HALFTONE_SIMD in the environment. */
  simd(): string
  /** The sets this machine has, the narrowest first: 'scalar', then 'avx2', 'avx512' and 'avx512vnni', or 'neon'. */
  simdSets(): string[]
  /** Takes one of `simdSets`, or 'auto'. Results differ in the last bits between sets: to get another machine's bytes, choose its set. */
  setSimd(name: string): void
  /** The dense kernels as plain loops in double, synchronous: what tests compare with. */
  readonly reference: LinalgReference

  // sessions ---------------------------------------------------------------------------------------------------------
  /** Opens ONNX Runtime (once). `library` is the path of the shared library. Returns its version. */
  openRuntime(library: string): string
  /** A session over a file or over the bytes of a model. The `halftone` operators are registered. Engine code calls `runtime().createSession`. */
  createSession(model: string | Uint8Array, options: SessionOptions): Promise<RawSession>
  providers(): readonly Provider[]

  // codecs -----------------------------------------------------------------------------------------------------------
  /** Weights in a block of the codec; 0 if a block is a whole row. Undefined for an unknown name. */
  codecBlock(codec: CodecName | GgufReadType): number | undefined
  /** Bytes of a [rows, cols] tensor; cols must be a multiple of the block. */
  codecBytes(codec: CodecName | GgufReadType, shape: Shape): number
  /** importance: E[x_j²] of the layer's inputs, [cols], or null. Writes codecBytes() bytes to `out`. */
  encode(codec: CodecName, shape: Shape, weights: Float32Array, importance: Float32Array | null, method: FitMethod, out: Uint8Array): Promise<void>
  decode(codec: CodecName | GgufReadType, shape: Shape, bytes: Uint8Array, out: Float32Array): Promise<void>
  /** The values that one block of n weights can take, by its parameters. Synchronous; the codec must have codes. */
  codecGrid(codec: CodecName, n: number, block: Uint8Array): BlockGrid
  /** Replaces the codes of one block: one byte each, a place in `levels` or the whole number less `first`. */
  codecPack(codec: CodecName, n: number, block: Uint8Array, codes: Uint8Array): void
  /** How QMatMul takes the codec's weights; undefined for those without codes (F32, F16, BF16). */
  planeFormat(codec: CodecName): PlaneFormat | undefined
  /** Takes weights apart for QMatMul: codes [rows, ceil(cols · bits / 8)], scales and, where the format has them, zeros [rows, groups]. */
  planes(codec: CodecName, shape: Shape, bytes: Uint8Array, codes: Uint8Array, scales: Float32Array, zeros: Float32Array | null): Promise<void>

  // linear algebra ---------------------------------------------------------------------------------------------------
  /**
   * Adds XᵀX of x [tokens, cols] to `hessian` [cols, cols] (double, both triangles), |x| column sums to `absolute` and
   * column maxima to `maximum`. Resolves to the number of values that are not finite (those rows are left out).
   */
  accumulate(x: Float32Array, tokens: number, cols: number, hessian: Float64Array, absolute: Float64Array, maximum: Float32Array): Promise<number>
  /**
   * Upper Cholesky factor U of (H + damp·mean(diag H)·I)⁻¹, [n, n] row-major float, for GPTQ. Columns with H_jj = 0 are
   * treated as dead. Raises the damping by steps where the factorization fails; resolves to the damping used.
   */
  inverseFactor(hessian: Float64Array, n: number, damp: number, out: Float32Array): Promise<number>
  /** Lower Cholesky factor in place, float. Rejects where the matrix is not positive definite. */
  cholesky(matrix: Float32Array, n: number): Promise<void>
  /**
   * GPTQ over the codec's grid: parameters of a block first, then error feedback over the fixed grid (Frantar et al.
   * 2022, alg. 1), then improvement of the block (simd/gptq.h). weights [rows, cols] are not changed and must be finite;
   * `factor` comes from inverseFactor; importance is diag(H)/tokens or null.
   */
  gptq(codec: CodecName, shape: Shape, weights: Float32Array, factor: Float32Array, importance: Float32Array | null, options: GptqOptions, out: Uint8Array): Promise<void>
  /** tr(Δ H Δᵀ) with Δ = a − b, both [rows, cols], H [cols, cols]: the layer's summed squared output error. */
  outputError(a: Float32Array, b: Float32Array, shape: Shape, hessian: Float64Array): Promise<number>
  /** Σ_r row[r]·Σ_j column[j]·(a − b)², both [rows, cols]; weights null for ones. */
  weightedError(a: Float32Array, b: Float32Array, shape: Shape, rowWeights: Float64Array | null, columnWeights: Float32Array | null): Promise<number>
  /** Best approximation of a rank ≤ rows, cols: matrix ≈ u diag(s) vᵀ; u [rows, rank], s [rank] falling, v [cols, rank]. */
  truncatedSvd(matrix: Float32Array, shape: Shape, rank: number, seed: number): Promise<{ u: Float32Array; s: Float32Array; v: Float32Array }>
  /**
   * b [rows, rank] and a [rank, cols] with the least tr((Δ − b·a) H (Δ − b·a)ᵀ), the closed form of EoRA (Liu et al. 2024);
   * H = XᵀX may be singular. y = x Ŵᵀ + (x aᵀ) bᵀ.
   */
  lowRankCorrection(delta: Float32Array, shape: Shape, hessian: Float64Array, rank: number, seed: number, b: Float32Array, a: Float32Array): Promise<void>
  /** c [m, n] = a [m, k] · b [k, n]; transposeA/B read the operands transposed. */
  matmul(a: Float32Array, b: Float32Array, m: number, n: number, k: number, transposeA: boolean, transposeB: boolean, c: Float32Array): Promise<void>

  // scoring ----------------------------------------------------------------------------------------------------------
  /**
   * Per row of logits [rows, vocabulary]: negative log-likelihood of `labels` (label −1: the row is not scored, its outputs
   * are 0), and against `reference` logits (or null) KL(reference ‖ logits) and whether the arg max agrees (1/0).
   * Outputs are [rows]; a row that holds NaN or +∞ scores NaN.
   */
  score(logits: Float32Array, reference: Float32Array | null, labels: Int32Array, rows: number, vocabulary: number, nll: Float64Array, kl: Float64Array, same: Uint8Array): Promise<void>

  // training ---------------------------------------------------------------------------------------------------------
  /** One step of AdamW (Loshchilov and Hutter 2019) in place: params and both moments change, all of one length. */
  adamStep(params: Float32Array, grads: Float32Array, m: Float32Array, v: Float32Array, options: AdamOptions): Promise<void>
  /**
   * What the gradient of a weight [rows, cols] says of its codes, and of the groups that share a scale: ofCodes += gradient · scale · step;
   * sums = Σ gradient and products = Σ gradient · (code − middle), [rows, cols / group].
   */
  codeGradients(gradient: Float32Array, codes: Uint8Array, shape: Shape, groups: { readonly group: number; readonly middle: number; readonly step: number }, scales: Float32Array, ofCodes: Float32Array, sums: Float32Array, products: Float32Array): Promise<void>
  /**
   * Codes under learned offsets: codes[i] = nearest[⌊2 (start[i] + offsets[i] · step)⌋], kept within `nearest`, which has the grid's code for every
   * half below 2^bits; and the same in `packed`, a little-endian stream of bits a row.
   */
  movedCodes(start: Uint8Array, offsets: Float32Array, shape: Shape, grid: { readonly bits: number; readonly step: number }, nearest: Uint8Array, codes: Uint8Array, packed: Uint8Array): Promise<void>
}

const require = createRequire(import.meta.url)
/** Where the addon may be: packaged beside the app, or built in the repository. */
function candidates(): string[] {
  const folders = [process.env.HALFTONE_KERNELS, import.meta.dirname === undefined ? undefined : path.join(import.meta.dirname, 'build')]
  return folders.filter((folder) => folder !== undefined).map((folder) => path.join(folder, 'halftone.node'))
}

/** The addon, where a kernel that it lacks says so: it was built before this version of the code. */
export function currentKernels(addon: Kernels, file: string): Kernels {
  return new Proxy(addon, {
    get(target, name): unknown {
      if (typeof name === 'string' && !(name in target)) throw new AppError('kernels-missing', `${file}: found no kernel "${name}"; it was built from an older version`, { hint: 'Run "npm run kernels" to build it anew.' })
      return Reflect.get(target, name)
    },
  })
}

let loaded: Kernels | undefined
/** The addon, loaded at the first call; throws an AppError that lists the paths tried. */
export function kernels(): Kernels {
  if (loaded) return loaded
  const tried: string[] = []
  for (const file of candidates()) {
    try {
      loaded = currentKernels(require(file) as Kernels, file)
      return loaded
    } catch (cause) {
      tried.push(`${file}: ${cause instanceof Error ? cause.message.split('\n')[0] ?? '' : String(cause)}`)
    }
  }
  throw new AppError('kernels-missing', `The native kernels could not be loaded. Tried:\n  ${tried.join('\n  ')}`, { hint: 'Run "npm run kernels" to build them.' })
}
