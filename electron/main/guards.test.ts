/** Rows 6, 7 and 8: no windows, no navigation, no webviews, no permissions, only listed links. */
import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { isSafeLink } from './external.ts'
import { guardContents, isAllowed } from './guards.ts'

function fakeContents(): { contents: Parameters<typeof guardContents>[0]; emit: (name: string) => boolean; open: (url: string) => unknown } {
  const events = new EventEmitter()
  let handler: (details: { url: string }) => unknown = () => ({ action: 'allow' })
  const contents = Object.assign(events, { setWindowOpenHandler: (given: typeof handler) => { handler = given } }) as unknown as Parameters<typeof guardContents>[0]
  return {
    contents,
    emit(name) {
      let prevented = false
      events.emit(name, { preventDefault: () => { prevented = true } })
      return prevented
    },
    open: (url) => handler({ url }),
  }
}

test('a page can neither go elsewhere nor attach a webview', () => {
  const { contents, emit } = fakeContents()
  guardContents(contents, () => undefined)
  expect([emit('will-navigate'), emit('will-attach-webview')]).toEqual([true, true])
})

test('no window opens; the link is handed over', () => {
  const { contents, open } = fakeContents()
  const asked: string[] = []
  guardContents(contents, (url) => { asked.push(url) })
  expect(open('https://example.org')).toEqual({ action: 'deny' })
  expect(asked).toEqual(['https://example.org'])
})

test.each([
  ['https://github.com/ggml-org/llama.cpp', true],
  ['http://github.com/ggml-org/llama.cpp', false],
  ['https://github.com.evil.example/x', false],
  ['https://user:pass@github.com/x', false],
  ['https://example.org/', false],
  ['javascript:alert(1)', false],
  ['file:///etc/passwd', false],
  ['\\\\server\\share', false],
  ['data:text/html,x', false],
  ['', false],
])('%s may leave the app: %s', (url, safe) => {
  expect(isSafeLink(url)).toBe(safe)
})

test('pages may write to the clipboard and nothing else', () => {
  expect(['clipboard-sanitized-write', 'clipboard-read', 'media', 'geolocation', 'notifications', 'openExternal', 'fileSystem', 'usb'].filter(isAllowed)).toEqual(['clipboard-sanitized-write'])
})
