/**
 * @file The app's own schemes. Chromium will not navigate to `app://`, so `app://host/x` is answered by the app's handler on
 * loopback as `http://host.app.localhost:PORT/x`: a secure context with real headers.
 */
import { existsSync, openAsBlob } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { strict } from './strict.ts'

type Handler = (request: Request) => Response | Promise<Response>
const handlers = new Map<string, Handler>()
const types: Readonly<Record<string, string>> = {
  html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', png: 'image/png', json: 'application/json', wasm: 'application/wasm',
}

const server = createServer((request, response) => {
  const answer = async (): Promise<void> => {
    const [host = '', scheme = ''] = request.headers.host?.split(/\.(?=[^.]+\.localhost)|\.localhost/) ?? []
    const handler = handlers.get(scheme)
    if (!handler) throw new Error(`no handler for ${scheme}://`)
    const given = await handler(new Request(`${scheme}://${host}${request.url ?? '/'}`, { method: request.method ?? 'GET' }))
    response.setHeaders(given.headers).writeHead(given.status)
    response.end(new Uint8Array(await given.arrayBuffer()))
  }
  answer().catch((cause: unknown) => {
    if (request.url !== '/favicon.ico') console.error(cause) // Chromium asks for one; Electron does not
    response.destroy()
  })
})
const port = new Promise<number>((resolve) => {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address) resolve(address.port)
  }).unref()
})

/** Where Chromium is really sent for this address. */
export async function mapped(url: string): Promise<string> {
  const [, scheme = '', host = '', rest = ''] = /^([\w-]+):\/\/([^/]*)(.*)$/.exec(url) ?? []
  return handlers.has(scheme) ? `http://${host}.${scheme}.localhost:${String(await port)}${rest}` : url
}
/** What the app is told the address is. */
export function original(url: string): string {
  return url.replace(/^http:\/\/(.*)\.([^.]+)\.localhost:\d+/, '$2://$1')
}

export const protocol = strict('protocol', {
  registerSchemesAsPrivileged() { /* loopback origins are secure and standard already */ },
  handle(scheme: string, handler: Handler) { handlers.set(scheme, handler) },
  isProtocolHandled: (scheme: string) => handlers.has(scheme),
})

export const net = strict('net', {
  async fetch(input: string, init?: RequestInit): Promise<Response> {
    if (!input.startsWith('file:')) return fetch(input, init)
    const file = fileURLToPath(input)
    if (!existsSync(file)) throw new Error('net::ERR_FILE_NOT_FOUND')
    const blob = await openAsBlob(file)
    return new Response(Readable.toWeb(Readable.from(blob.stream())) as ReadableStream, { headers: { 'content-type': types[path.extname(file).slice(1)] ?? 'application/octet-stream' } })
  },
})

export const session = strict('session', {
  defaultSession: strict('session.defaultSession', {
    protocol,
    setPermissionRequestHandler() { /* Chromium's own defaults hold */ },
    setPermissionCheckHandler() { /* the same */ },
    setDevicePermissionHandler() { /* the same */ },
  }),
})
