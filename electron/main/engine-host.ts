/**
 * @file The engine's process as main sees it: started when first needed, watched by its beat, restarted after it ends.
 * Cancelling is a ladder: the call's signal, and after five seconds the end of the process.
 */
import type { z } from 'zod'
import type { EngineState } from '../contract/api.ts'
import { engineMethods, type EngineMethod } from '../contract/engine.ts'
import { AppError, outOfMemoryHint, saysOutOfMemory, type errorFields } from '../contract/errors.ts'
import { silent, type Context } from '../contract/events.ts'
import { beatMs, type FromEngine, type ToEngine } from '../contract/wire.ts'

const missedBeats = 10
const cancelMs = 5000
/** Exit codes of a process that the system ended, as it does for want of memory: killed, as waitpid and as shells tell it, and V8's own on Windows. */
const endedBySystem: ReadonlySet<number> = new Set([9, 137, 0xe0000008])

/** The process itself; Electron's utilityProcess fits, a test brings its own. */
export interface EngineProcess {
  postMessage: (message: ToEngine) => void
  onMessage: (listener: (message: FromEngine) => void) => void
  onExit: (listener: (code: number) => void) => void
  kill: () => void
  /** The last lines it printed: what remains of a native crash. */
  lastWords: () => string
}

export type EngineInput<M extends EngineMethod> = z.input<(typeof engineMethods)[M]['input']>
export type EngineOutput<M extends EngineMethod> = z.infer<(typeof engineMethods)[M]['output']>

export interface EngineHost {
  /** Rejects with AppError 'engine-stopped' or 'out-of-memory' where the process ends during the call, 'cancelled' where the signal ended it. */
  call: <M extends EngineMethod>(method: M, input: EngineInput<M>, context?: Context) => Promise<EngineOutput<M>>
  state: () => EngineState
  /** Ends the process; what runs rejects, the next call starts a new one. */
  restart: () => void
}

interface Pending { readonly method: EngineMethod; readonly context: Context; readonly settle: PromiseWithResolvers<unknown> }

export interface EngineHostOptions {
  readonly start: () => EngineProcess
  readonly onState: (state: EngineState, memoryBytes: number | null) => void
  readonly log: (text: string) => void
}

export function createEngineHost({ start, onState, log }: EngineHostOptions): EngineHost {
  const pending = new Map<number, Pending>()
  let running: EngineProcess | undefined
  let state: EngineState = 'stopped'
  let watch: ReturnType<typeof setTimeout> | undefined
  let last = 0
  const killed = new WeakSet<EngineProcess>()

  const become = (next: EngineState, memoryBytes: number | null = null): void => {
    state = next
    onState(next, memoryBytes)
  }
  const listen = (): void => {
    clearTimeout(watch)
    watch = setTimeout(() => { become('not-responding') }, missedBeats * beatMs)
  }

  function receive(message: FromEngine): void {
    listen()
    switch (message.type) {
      case 'ready': become('ready'); return
      case 'beat': become('ready', message.memoryBytes); return
      case 'event': pending.get(message.id)?.context.report(message.event); return
      case 'fatal': log(`engine: ${message.error.message}`); return
      case 'result': {
        const call = pending.get(message.id)
        pending.delete(message.id)
        if (message.result.ok) call?.settle.resolve(message.result.value)
        else call?.settle.reject(fromFields(message.result.error))
        return
      }
      default: message satisfies never
    }
  }

  const kill = (process: EngineProcess): void => {
    killed.add(process)
    process.kill()
  }

  function ended(process: EngineProcess, code: number): void {
    if (running !== process) return
    clearTimeout(watch)
    running = undefined
    log(`engine: ended with ${String(code)} while ${String(pending.size)} calls ran\n${process.lastWords()}`)
    become('stopped')
    const lost = [...pending.values()]
    pending.clear()
    const lastWords = process.lastWords()
    const isOutOfMemory = !killed.has(process) && (endedBySystem.has(code >>> 0) || saysOutOfMemory(lastWords))
    for (const { method, settle } of lost) {
      const what = `The engine stopped during "${method}" (exit code ${String(code)})`
      settle.reject(isOutOfMemory
        ? new AppError('out-of-memory', `${what}: it seems to have run out of memory.`, { hint: outOfMemoryHint, details: { lastWords } })
        : new AppError('engine-stopped', `${what}.`, { hint: 'What was finished is kept. Resume to go on.', details: { lastWords } }))
    }
  }

  function ensure(): EngineProcess {
    if (running) return running
    const process = start()
    running = process
    become('starting')
    listen()
    process.onMessage((message) => { if (running === process) receive(message) })
    process.onExit((code) => { ended(process, code) })
    return process
  }

  return {
    state: () => state,
    restart: () => { if (running) kill(running) },
    async call<M extends EngineMethod>(method: M, input: EngineInput<M>, context: Context = silent): Promise<EngineOutput<M>> {
      context.signal.throwIfAborted()
      const process = ensure()
      const id = ++last
      const settle = Promise.withResolvers<unknown>()
      pending.set(id, { method, context, settle })
      let ladder: ReturnType<typeof setTimeout> | undefined
      const cancel = (): void => {
        process.postMessage({ type: 'cancel', id })
        ladder = setTimeout(() => { if (pending.has(id)) kill(process) }, cancelMs)
      }
      context.signal.addEventListener('abort', cancel, { once: true })
      process.postMessage({ type: 'call', id, method, input })
      try {
        // The schema types the reply: nothing from another process is trusted to be what it says.
        return engineMethods[method].output.parse(await settle.promise) as EngineOutput<M>
      } finally {
        clearTimeout(ladder)
        context.signal.removeEventListener('abort', cancel)
      }
    },
  }
}

function fromFields({ code, message, hint, details }: ReturnType<typeof errorFields>): AppError {
  return new AppError(code, message, { ...(hint !== undefined && { hint }), ...(details && { details }) })
}
