/**
 * @file What main and the engine process say to each other. Calls are numbered by main; a long call reports events under
 * its number and ends with one result. The beat says that the control loop still turns.
 */
import type { AppErrorFields, Result } from './errors.ts'
import type { EngineMethod } from './engine.ts'
import type { JobEvent } from './events.ts'

export type ToEngine =
  | { readonly type: 'call'; readonly id: number; readonly method: EngineMethod; readonly input: unknown }
  | { readonly type: 'cancel'; readonly id: number }

export type FromEngine =
  | { readonly type: 'ready' }
  | { readonly type: 'beat'; readonly memoryBytes: number }
  | { readonly type: 'event'; readonly id: number; readonly event: JobEvent }
  | { readonly type: 'result'; readonly id: number; readonly result: Result<unknown> }
  /** The last words of a process that ends itself. */
  | { readonly type: 'fatal'; readonly error: AppErrorFields }

/** The engine beats once in this time; main calls it unresponsive after ten missed beats. */
export const beatMs = 1000
