/** @file Calls to main. A refused call throws the error main described; nothing else does. */
import type { Channel, FileHandle, Input, Output, Preload } from '../../electron/contract/api.ts'
import type { AppErrorFields, Result } from '../../electron/contract/errors.ts'

declare global {
  interface Window { readonly halftone: Preload }
}

/** What went wrong, in the words main chose. */
export class CallError extends Error {
  readonly fields: AppErrorFields
  constructor(fields: AppErrorFields) {
    super(fields.message)
    this.name = 'CallError'
    this.fields = fields
  }
}

type Arguments<C extends Channel> = Input<C> extends undefined ? [] : [input: Input<C>]

function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new CallError(result.error)
  return result.value
}

/** The contract types both ends of the channel: these two functions are where that is taken on trust. */
export async function call<C extends Channel>(channel: C, ...[input]: Arguments<C>): Promise<Output<C>> {
  return unwrap((await window.halftone.call(channel, input)) as Result<Output<C>>)
}

/** Hands a dropped file to main; its path never comes here. */
export async function adoptFile(file: File): Promise<FileHandle> {
  return unwrap((await window.halftone.adoptFile(file)) as Result<FileHandle>)
}

/** The fields of anything thrown, for a banner. */
export function fieldsOf(cause: unknown): AppErrorFields {
  if (cause instanceof CallError) return cause.fields
  return { code: 'internal', message: cause instanceof Error ? cause.message : String(cause) }
}
