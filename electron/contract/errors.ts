/** @file The one error the user ever sees: where · found · expected, and what to do about it. */

export type ErrorCode =
  | 'bad-request' // a call that does not fit the contract
  | 'file-missing'
  | 'file-unreadable'
  | 'file-malformed' // truncated, lying or hostile
  | 'file-exists'
  | 'disk-full'
  | 'unsupported-architecture'
  | 'unsupported-tensor'
  | 'unsupported-operator'
  | 'bad-weights' // NaN, infinite
  | 'bad-data' // calibration or evaluation data that cannot be used
  | 'bad-tokenizer'
  | 'bad-recipe'
  | 'bad-shape'
  | 'budget-impossible'
  | 'measurement-mismatch' // sensitivity.json of another model or data
  | 'adapter-mismatch'
  | 'training-diverged'
  | 'network'
  | 'kernels-missing'
  | 'runtime-failed' // ONNX Runtime or a kernel refused
  | 'engine-stopped' // the engine's process ended while it worked
  | 'out-of-memory'
  | 'cancelled'
  | 'internal'

export interface AppErrorFields {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** An error of the user's world. `message` says where, what was found and what was expected; `hint` says what to do. */
export class AppError extends Error implements AppErrorFields {
  readonly code: ErrorCode
  readonly hint?: string
  readonly details?: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, more: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.name = 'AppError'
    this.code = code
    if (more.hint !== undefined) this.hint = more.hint
    if (more.details !== undefined) this.details = more.details
  }
}

/** What crosses a process border in place of a thrown error. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: AppErrorFields }

/** Whether a message says that no memory was left, as V8, C++, ONNX Runtime and operating systems do. */
export const saysOutOfMemory = (text: string): boolean => /allocation failed|heap out of memory|bad.alloc|failed to allocate memory|not enough memory|ENOMEM/i.test(text)

export const outOfMemoryHint = 'Close other programs, or go on with less memory for intermediate results: what does not fit then goes to disk.'

/** The plain fields of any thrown value, for a `Result` or a `failed` event. */
export function errorFields(cause: unknown): AppErrorFields {
  if (cause instanceof Error && saysOutOfMemory(cause.message) && (!(cause instanceof AppError) || cause.code === 'runtime-failed')) {
    return { code: 'out-of-memory', message: `Memory ran out: ${cause.message}`, hint: outOfMemoryHint }
  }
  if (cause instanceof AppError) {
    return {
      code: cause.code,
      message: cause.message,
      ...(cause.hint !== undefined && { hint: cause.hint }),
      ...(cause.details !== undefined && { details: cause.details }),
    }
  }
  if (cause instanceof Error && cause.name === 'AbortError') return { code: 'cancelled', message: 'Cancelled' }
  return { code: 'internal', message: cause instanceof Error ? cause.message : String(cause) }
}

/** Throws for our own bugs; the user's world gets an AppError instead. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
