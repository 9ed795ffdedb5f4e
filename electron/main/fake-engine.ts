/** @file For tests of main: a process that speaks the engine's protocol in memory and does what the test says. */
import type { EngineMethod } from '../contract/engine.ts'
import type { FromEngine, ToEngine } from '../contract/wire.ts'
import type { EngineProcess } from './engine-host.ts'

export interface FakeEngine {
  readonly start: () => EngineProcess
  /** Messages main sent to the newest process. */
  readonly received: ToEngine[]
  readonly starts: () => number
  send: (message: FromEngine) => void
  /** Answers the newest call of this method. */
  finish: (method: EngineMethod, value: unknown) => void
  fail: (method: EngineMethod, code: 'cancelled' | 'disk-full' | 'bad-data') => void
  exit: (code: number) => void
  /** What it prints from now on. */
  say: (words: string) => void
}

export function createFakeEngine(): FakeEngine {
  const received: ToEngine[] = []
  let toMain: (message: FromEngine) => void = () => undefined
  let exited: (code: number) => void = () => undefined
  let starts = 0
  let words = 'last words'
  const callOf = (method: EngineMethod): number => {
    const call = received.findLast((message) => message.type === 'call' && message.method === method)
    if (!call) throw new Error(`main did not call ${method}`)
    return call.id
  }
  return {
    received,
    starts: () => starts,
    start: () => {
      starts += 1
      return {
        postMessage: (message) => { received.push(message) },
        onMessage: (listener) => { toMain = listener },
        onExit: (listener) => { exited = listener },
        kill: () => { exited(9) },
        lastWords: () => words,
      }
    },
    send: (message) => { toMain(message) },
    finish: (method, value) => { toMain({ type: 'result', id: callOf(method), result: { ok: true, value } }) },
    fail: (method, code) => { toMain({ type: 'result', id: callOf(method), result: { ok: false, error: { code, message: code } } }) },
    exit: (code) => { exited(code) },
    say: (said) => { words = said },
  }
}
