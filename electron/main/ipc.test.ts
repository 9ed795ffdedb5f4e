/** Rows 4, 5 and 9 of the security list: sender checked, input parsed, files only by handle. */
import os from 'node:os'
import { expect, test } from 'vitest'
import { api, type Channel } from '../contract/api.ts'
import type { Handlers } from './dispatch.ts'
import { createFiles } from './files.ts'
import { serveIpc, type Ipc } from './ipc.ts'

type Listener = Parameters<Ipc['handle']>[1]
const own = { senderFrame: { origin: 'app://halftone', parent: null } }

function serve(over: Partial<Handlers> = {}): { call: (event: Parameters<Listener>[0], channel: unknown, input?: unknown) => Promise<unknown>; adopt: (event: Parameters<Listener>[0], file: unknown) => Promise<unknown> } {
  const listeners = new Map<string, Listener>()
  const missing = Object.fromEntries(Object.keys(api).map((name) => [name, () => Promise.reject(new Error(`${name} is not part of this test`))]))
  serveIpc({ handle: (channel, listener) => { listeners.set(channel, listener) } }, { ...(missing as Record<Channel, never>), ...over }, createFiles(), ['app://halftone'])
  const listener = (name: string): Listener => {
    const found = listeners.get(name)
    if (!found) throw new Error(`no channel ${name}`)
    return found
  }
  return { call: (event, channel, input) => listener('api')(event, channel, input), adopt: (event, file) => listener('adopt')(event, file) }
}

test('a call from the app reaches its handler with the parsed input', async () => {
  const { call } = serve({ 'job.cancel': (input) => { expect(input).toEqual({ id: 'a' }); return Promise.resolve(undefined) } })
  expect(await call(own, 'job.cancel', { id: 'a', extra: 1 })).toEqual({ ok: true, value: undefined })
})

test.each([
  ['another origin', { senderFrame: { origin: 'https://example.org', parent: null } }],
  ['an opaque origin', { senderFrame: { origin: 'null', parent: null } }],
  ['a frame that is gone', { senderFrame: null }],
  ['a sub-frame', { senderFrame: { origin: 'app://halftone', parent: { origin: 'app://halftone' } as never } }],
])('a call from %s is refused', async (_name, event) => {
  const { call, adopt } = serve({ 'job.cancel': () => Promise.resolve(undefined) })
  await expect(call(event, 'job.cancel', { id: 'a' })).rejects.toThrow('not the main frame')
  await expect(adopt(event, os.tmpdir())).rejects.toThrow('not the main frame')
})

test.each([['constructor'], ['__proto__'], ['job.unknown'], [7], [undefined]])('channel %s is unknown', async (channel) => {
  expect(await serve().call(own, channel, {})).toMatchObject({ ok: false, error: { code: 'bad-request' } })
})

test('an input of another shape is refused by name before any handler runs', async () => {
  const { call } = serve({ 'job.cancel': () => Promise.reject(new Error('ran')) })
  expect(await call(own, 'job.cancel', { id: 5 })).toMatchObject({ ok: false, error: { code: 'bad-request', message: expect.stringContaining('job.cancel') as string } })
})

test('a failing handler answers with its message', async () => {
  const { call } = serve({ 'job.cancel': () => Promise.reject(new Error('broken')) })
  expect(await call(own, 'job.cancel', { id: 'a' })).toEqual({ ok: false, error: { code: 'internal', message: 'broken' } })
})

test('only real paths are adopted', async () => {
  const { adopt } = serve()
  expect(await adopt(own, os.tmpdir())).toMatchObject({ ok: true, value: { kind: 'folder' } })
  for (const file of ['', undefined, 3]) expect(await adopt(own, file)).toMatchObject({ ok: false, error: { code: 'file-missing' } })
})
