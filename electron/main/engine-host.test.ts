import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { JobEvent } from '../contract/events.ts'
import { createEngineHost, type EngineHost } from './engine-host.ts'
import { createFakeEngine, type FakeEngine } from './fake-engine.ts'

const generated = { text: 'x', tokens: 1, tokensPerSecond: 10 }
const input = { model: 'm', prompt: 'p' }

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

function make(): { host: EngineHost; engine: FakeEngine; states: string[] } {
  const engine = createFakeEngine()
  const states: string[] = []
  return { engine, states, host: createEngineHost({ start: engine.start, onState: (state) => { states.push(state) }, log: () => undefined }) }
}

test('a call reports its own events and resolves to the parsed result', async () => {
  const { host, engine, states } = make()
  const events: JobEvent[] = []
  const call = host.call('generate', input, { signal: new AbortController().signal, report: (event) => { events.push(event) } })
  expect(engine.received).toEqual([{ type: 'call', id: 1, method: 'generate', input }])
  engine.send({ type: 'ready' })
  engine.send({ type: 'event', id: 1, event: { type: 'log', level: 'info', text: 'a' } })
  engine.send({ type: 'event', id: 2, event: { type: 'log', level: 'info', text: 'of another call' } })
  engine.finish('generate', generated)
  expect(await call).toEqual(generated)
  expect(events).toEqual([{ type: 'log', level: 'info', text: 'a' }])
  expect(states).toEqual(['starting', 'ready'])
})

test('a result of another shape is refused', async () => {
  const { host, engine } = make()
  const call = host.call('generate', input)
  engine.finish('generate', { text: 5 })
  await expect(call).rejects.toThrow('expected string')
})

test('the end of the process rejects what ran, and the next call starts a new one', async () => {
  const { host, engine, states } = make()
  const call = host.call('generate', input)
  engine.exit(134)
  await expect(call).rejects.toMatchObject({ code: 'engine-stopped', details: { lastWords: 'last words' } })
  expect(states).toEqual(['starting', 'stopped'])
  const again = host.call('generate', input)
  expect(engine.starts()).toBe(2)
  engine.finish('generate', generated)
  expect(await again).toEqual(generated)
})

test('a process that the system ended, or that says so, ran out of memory; one that was ended on purpose did not', async () => {
  const { host, engine } = make()
  for (const code of [9, 137, -536870904]) {
    const call = host.call('generate', input)
    engine.exit(code)
    await expect(call).rejects.toMatchObject({ code: 'out-of-memory', hint: expect.stringContaining('less memory') as string })
  }
  const onPurpose = host.call('generate', input)
  host.restart()
  await expect(onPurpose).rejects.toMatchObject({ code: 'engine-stopped' })
  engine.say('<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory')
  const call = host.call('generate', input)
  engine.exit(134)
  await expect(call).rejects.toMatchObject({ code: 'out-of-memory' })
})

test('silence of ten beats is said, and a beat takes it back', () => {
  const { host, engine, states } = make()
  void host.call('generate', input)
  engine.send({ type: 'beat', memoryBytes: 1 })
  vi.advanceTimersByTime(9_999)
  expect(host.state()).toBe('ready')
  vi.advanceTimersByTime(1)
  expect(host.state()).toBe('not-responding')
  engine.send({ type: 'beat', memoryBytes: 1 })
  expect(host.state()).toBe('ready')
  expect(states).toEqual(['starting', 'ready', 'not-responding', 'ready'])
})

test('cancelling asks first and ends the process after five seconds', async () => {
  const { host, engine } = make()
  const abort = new AbortController()
  const call = host.call('generate', input, { signal: abort.signal, report: () => undefined })
  const outcome = expect(call).rejects.toMatchObject({ code: 'engine-stopped' })
  abort.abort()
  expect(engine.received.at(-1)).toEqual({ type: 'cancel', id: 1 })
  vi.advanceTimersByTime(4_999)
  expect(host.state()).toBe('starting')
  vi.advanceTimersByTime(1)
  expect(host.state()).toBe('stopped')
  await outcome
})

test('a call that lets go in time leaves the process alone', async () => {
  const { host, engine } = make()
  const abort = new AbortController()
  const call = host.call('generate', input, { signal: abort.signal, report: () => undefined })
  abort.abort()
  engine.fail('generate', 'cancelled')
  await expect(call).rejects.toMatchObject({ code: 'cancelled' })
  vi.advanceTimersByTime(9_000)
  expect(host.state()).not.toBe('stopped')
})
