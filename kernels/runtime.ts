/**
 * @file ONNX Runtime for the engine: finds the library that onnxruntime-node ships, opens it with telemetry off, and gives
 * sessions whose runs can be cancelled. Failures are AppErrors with the runtime's own message.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { AppError } from '../electron/contract/errors.ts'
import { kernels, type Kernels, type NativeSession, type Provider, type RawSession, type SessionOptions, type Tensor } from './kernels.ts'

export interface Runtime {
  readonly version: string
  /** The path of the shared library. */
  readonly file: string
  /** Execution providers the library was built with; that a device is there only a session can tell. */
  readonly providers: readonly Provider[]
  /** A session over a file or over the bytes of a model, made off the event loop. The `halftone` operators are registered. */
  createSession(model: string | Uint8Array, options?: SessionOptions): Promise<NativeSession>
}

const libraryNames: Readonly<Partial<Record<NodeJS.Platform, string>>> = { linux: 'libonnxruntime.so.1', darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' }
const require = createRequire(import.meta.url)

/** Where the library may be: a folder the user names, then the package of onnxruntime-node. */
function candidates(): string[] {
  const name = libraryNames[process.platform] ?? 'libonnxruntime.so'
  const folders = [process.env.HALFTONE_RUNTIME]
  try {
    folders.push(path.join(path.dirname(require.resolve('onnxruntime-node/package.json')), 'bin', 'napi-v6', process.platform, process.arch))
  } catch {
    folders.push(undefined) // not installed: the error below lists what is left
  }
  return folders.filter((folder) => folder !== undefined).map((folder) => path.join(folder, name).replace(/app\.asar(?=[\\/])/, 'app.asar.unpacked'))
}

function failed(cause: unknown, doing: string): AppError {
  return new AppError('runtime-failed', `${doing}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

function open(): { version: string; library: string; addon: Kernels } {
  process.env.ORT_DISABLE_TELEMETRY = '1'
  const addon = kernels()
  const tried: string[] = []
  for (const library of candidates()) {
    if (!existsSync(library)) {
      tried.push(`${library}: is not there`)
      continue
    }
    try {
      return { version: addon.openRuntime(library), library, addon }
    } catch (cause) {
      tried.push(`${library}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }
  throw new AppError('kernels-missing', `ONNX Runtime could not be opened for ${process.platform} ${process.arch}. Tried:\n  ${tried.join('\n  ')}`, {
    hint: 'Install the package onnxruntime-node, or name the folder of its library in HALFTONE_RUNTIME.',
  })
}

function cancelled(): AppError {
  return new AppError('cancelled', 'Cancelled')
}

type Run = NativeSession['run']

/** `running` holds the cancel functions of the runs under way. */
function runOf(session: RawSession, running: Set<() => void>): Run {
  return async (feeds, fetches, signal) => {
    if (signal?.aborted) throw cancelled()
    let cancel: (() => void) | undefined
    try {
      const started = session.start(feeds, fetches)
      cancel = started.cancel
      running.add(cancel)
      signal?.addEventListener('abort', cancel)
      const made = await started.promise
      if (signal?.aborted) throw cancelled()
      const result: Record<string, Tensor> = {}
      for (const [name, place] of Object.entries(fetches)) {
        const tensor = place ?? made[name]
        if (tensor) result[name] = tensor
      }
      return result
    } catch (cause) {
      throw signal?.aborted ? cancelled() : failed(cause, 'ONNX Runtime run')
    } finally {
      if (cancel) {
        running.delete(cancel)
        signal?.removeEventListener('abort', cancel)
      }
    }
  }
}

let opened: Runtime | undefined
/** The runtime, opened at the first call; throws an AppError that lists the paths tried. */
export function runtime(): Runtime {
  if (opened) return opened
  const { version, library, addon } = open()
  const running = new Set<() => void>()
  // Node waits for native work before it exits.
  process.on('exit', () => running.forEach((cancel) => cancel()))
  opened = {
    version,
    file: library,
    providers: addon.providers(),
    async createSession(model, options = {}) {
      try {
        const session = await addon.createSession(model, options)
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          run: runOf(session, running),
          dispose: () => session.dispose(),
        }
      } catch (cause) {
        throw failed(cause, typeof model === 'string' ? model : 'ONNX Runtime session')
      }
    },
  }
  return opened
}
