/** @file Starts the machine's Chromium and talks to it over the DevTools protocol, with Node's built-in WebSocket. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { CDPSession } from 'playwright-core'
import { fields, text } from './strict.ts'

const executable = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium'
const headless = process.env.DISPLAY === undefined || process.env.DISPLAY === ''
const closeTimeoutMs = 2000

/** The typed part of a DevTools session that the stand-in uses. */
export type Session = Pick<CDPSession, 'send' | 'on'>

export interface Chromium extends Session {
  /** The session of one target (a page). */
  session(sessionId: string): Session
  /** Opens an empty window of this content size; resolves to its target id. */
  openWindow(width: number, height: number): Promise<string>
  close(): Promise<void>
}

const flags = [
  'no-sandbox', 'disable-gpu', 'disable-quic', 'no-first-run', 'no-default-browser-check', 'disable-sync', 'test-type', 'disable-background-networking',
  'disable-component-update', 'allow-file-access-from-files', ...(headless ? ['headless'] : []),
]

/** Starts Chromium without a window. The DevTools address goes to stderr, where Playwright waits for it. */
export async function launchChromium(switches: ReadonlyMap<string, string>, profile: string): Promise<Chromium> {
  const args = [...flags, `user-data-dir=${profile}`, ...Array.from(switches, ([name, value]) => (value === '' ? name : `${name}=${value}`))].map((flag) => `--${flag}`)
  const child = spawn(executable, [...args, '--remote-debugging-port=0', '--no-startup-window'], { stdio: ['ignore', 'ignore', 'pipe'] })
  process.on('exit', () => { child.kill('SIGKILL') })
  const address = await devToolsAddress(child)
  const socket = new WebSocket(address)
  await once(socket, 'open')
  const browser = connect(socket)
  await browser.send('Target.setDiscoverTargets', { discover: true })
  process.stderr.write(`DevTools listening on ${address}\n`)
  return {
    ...browser,
    openWindow: (width, height) => (headless ? headlessWindow(browser, width, height) : headedWindow(browser, args)),
    async close() {
      const exited = once(child, 'exit')
      browser.send('Browser.close').catch(() => undefined) // the answer may be lost as the socket goes down
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, closeTimeoutMs))])
    },
  }
}

async function devToolsAddress(child: ChildProcessByStdio<null, null, Readable>): Promise<string> {
  for await (const line of createInterface({ input: child.stderr })) {
    const address = /^DevTools listening on (ws:\/\/.*)$/.exec(line)?.[1]
    if (address === undefined) continue
    child.stderr.resume()
    return address
  }
  throw new Error(`${executable} did not start`)
}

function connect(socket: WebSocket): Session & { session(sessionId: string): Session } {
  const events = new EventEmitter().setMaxListeners(0)
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  let last = 0

  socket.addEventListener('message', ({ data }) => {
    const { id, method, params, sessionId, result, error } = fields(JSON.parse(String(data)))
    const call = calls.get(Number(id))
    calls.delete(Number(id))
    if (!call) events.emit(`${text(method)}@${text(sessionId)}`, params)
    else if (error) call.reject(new Error(text(fields(error).message)))
    else call.resolve(result)
  })
  // The protocol's own types are trusted from here on: the one border of this client.
  const session = (sessionId?: string): Session => ({
    send(method: string, params: object = {}) {
      const call = Promise.withResolvers<unknown>()
      calls.set(++last, call)
      socket.send(JSON.stringify({ id: last, method, params, sessionId }))
      return call.promise
    },
    on(event: string, listener: (params: unknown) => void) {
      events.on(`${event}@${sessionId ?? ''}`, listener)
      return this
    },
  }) as Session
  return { ...session(), session }
}

async function headlessWindow(browser: Session, width: number, height: number): Promise<string> {
  const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank', newWindow: true, width, height })
  return targetId
}

/** A window without tabs: Chromium opens one only when asked on a command line of the same profile. */
function headedWindow(browser: Session, args: string[]): Promise<string> {
  const url = `data:text/html,<title>${crypto.randomUUID()}</title>`
  const opened = Promise.withResolvers<string>()
  const look = ({ targetInfo }: { targetInfo: { url: string; targetId: string } }): void => { if (targetInfo.url === url) opened.resolve(targetInfo.targetId) }
  browser.on('Target.targetCreated', look).on('Target.targetInfoChanged', look)
  spawn(executable, [...args, `--app=${url}`], { stdio: 'ignore' })
  return opened.promise
}
