import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createKeeper } from './keeper.ts'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

/** A keeper of names that notes what is opened and closed. */
function noted(most = 2) {
  const said: string[] = []
  const keeper = createKeeper<string>({ most, idleMs: 1000, close: (name) => { said.push(`-${name}`); return Promise.resolve() } })
  const use = (name: string, work: () => Promise<unknown> = () => Promise.resolve()) => keeper.use(name, () => { said.push(`+${name}`); return Promise.resolve(name) }, work)
  return { keeper, said, use }
}

test('what was opened is used again, and closed a while after its last use', async () => {
  const { said, use } = noted()
  await use('a')
  await vi.advanceTimersByTimeAsync(900)
  await use('a')
  await vi.advanceTimersByTimeAsync(900)
  expect(said).toEqual(['+a'])
  await vi.advanceTimersByTimeAsync(200)
  expect(said).toEqual(['+a', '-a'])
})

test('the least recently used goes first, and never what is in use', async () => {
  const { said, use } = noted(1)
  const gate = Promise.withResolvers<undefined>()
  const long = use('a', () => gate.promise)
  await use('b')
  await use('c')
  expect(said).toEqual(['+a', '+b', '+c', '-b'])
  gate.resolve(undefined)
  await long
  expect(said).toEqual(['+a', '+b', '+c', '-b', '-a']) // a was asked for before c
})

test('two calls at once open once', async () => {
  const { said, use } = noted()
  await Promise.all([use('a'), use('a')])
  expect(said).toEqual(['+a'])
})

test('a value that did not open is tried again', async () => {
  const { keeper, use, said } = noted()
  await expect(keeper.use('a', () => Promise.reject(new Error('no such file')), () => Promise.resolve())).rejects.toThrow('no such file')
  await use('a')
  expect(said).toEqual(['+a'])
})

test('closing waits for nobody: what is in use closes with its last user', async () => {
  const { keeper, said, use } = noted()
  const gate = Promise.withResolvers<undefined>()
  const long = use('a', () => gate.promise)
  await use('b')
  await keeper.close()
  expect(said).toEqual(['+a', '+b', '-b'])
  gate.resolve(undefined)
  await long
  expect(said).toEqual(['+a', '+b', '-b', '-a'])
})

test('a failing user leaves the value to others', async () => {
  const { said, use } = noted()
  await expect(use('a', () => Promise.reject(new Error('bad')))).rejects.toThrow('bad')
  await use('a')
  expect(said).toEqual(['+a'])
})
