/**
 * @file The engine's process: calls in, events and one result out, a beat every second. The methods themselves are the same
 * module that the command line and the tests run.
 */
import type { EngineMethod } from '../contract/engine.ts'
import { AppError, errorFields } from '../contract/errors.ts'
import { beatMs, type FromEngine, type ToEngine } from '../contract/wire.ts'
import { createEngine } from './engine.ts'

process.env.ORT_DISABLE_TELEMETRY = '1'

const port = process.parentPort
const post = (message: FromEngine): void => { port.postMessage(message) }
const engine = createEngine()
const calls = new Map<number, AbortController>()

async function answer(id: number, method: EngineMethod, input: unknown): Promise<void> {
  const abort = new AbortController()
  calls.set(id, abort)
  try {
    // Main has typed the call; the method parses its input again.
    const run = engine[method] as (given: unknown, context: object) => Promise<unknown>
    const value = await run(input, { signal: abort.signal, report: (event: Extract<FromEngine, { type: 'event' }>['event']) => { post({ type: 'event', id, event }) } })
    post({ type: 'result', id, result: { ok: true, value } })
  } catch (cause) {
    const error = abort.signal.aborted ? { code: 'cancelled' as const, message: 'Cancelled' } : errorFields(cause)
    if (error.code === 'internal' && cause instanceof Error) console.error(cause.stack)
    post({ type: 'result', id, result: { ok: false, error } })
  } finally {
    calls.delete(id)
  }
}

port.on('message', ({ data }: { data: ToEngine }) => {
  if (data.type === 'call') void answer(data.id, data.method, data.input)
  else calls.get(data.id)?.abort(new AppError('cancelled', 'Cancelled'))
})

// A broken promise nobody waits for is a bug: say it and end, and main starts the engine anew.
process.on('unhandledRejection', (cause) => {
  post({ type: 'fatal', error: errorFields(cause) })
  console.error(cause)
  process.exitCode = 70
  setImmediate(() => process.exit())
})

post({ type: 'ready' })
setInterval(() => { post({ type: 'beat', memoryBytes: process.memoryUsage.rss() }) }, beatMs)
