/**
 * @file The two scripts a window gets before its page's own: one in the page's world, one in the isolated world where the
 * preload script runs. Passed on as source text: each must stay self-contained.
 */
import type { bridge as makeBridge, Callable } from './bridge.ts'
import type { wire as makeWire } from './wire.ts'

/** In the page's own world: defines what the preload script exposes, and hands pop-ups over before Chromium opens them. */
export function pageWorld(token: string, bridge: typeof makeBridge): void {
  if (window !== window.top) return
  const freeze = (value: unknown): unknown => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
    return value
  }
  const { call, hold } = bridge(token, 'page', 'preload')
  hold((key, api) => { Object.defineProperty(window, String(key), { value: freeze(api), enumerable: true }) })
  window.open = (url = 'about:blank') => {
    call(1, [new URL(url, location.href).href])
    return null
  }
  window.addEventListener('click', (event) => {
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
    if (event.defaultPrevented || link?.target !== '_blank') return
    event.preventDefault()
    window.open(link.href)
  })
}

/** What the host puts into the preload world, and what it finds there. */
export interface PreloadGlobals {
  post: (text: string) => void
  deliver: (text: string) => Promise<void>
  inputs: HTMLInputElement[]
}

/** In an isolated world: `electron` as a sandboxed preload script sees it. */
export function preloadWorld(
  token: string, env: object, bridge: typeof makeBridge, wire: typeof makeWire,
  preload: (require: (name: string) => unknown, process: object) => void,
): void {
  if (window !== window.top) return
  const host = globalThis as unknown as { __post: PreloadGlobals['post']; __deliver: PreloadGlobals['deliver']; __inputs: PreloadGlobals['inputs'] }
  let blobs: Uint8Array<ArrayBuffer>[] = []
  const base64 = Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }
  const { pack, unpack } = wire(
    (bytes) => (bytes as Uint8Array & { toBase64(): string }).toBase64(),
    (saved) => (typeof saved === 'number' ? blobs[saved] : base64.fromBase64(String(saved))),
  )
  const post = (message: object): void => { host.__post(JSON.stringify(pack(message))) }
  const { call, hold } = bridge(token, 'preload', 'page')
  hold((url) => { post({ type: 'open', url }) })

  type Listener = (event: object, ...args: unknown[]) => void
  const listeners = new Map<string, Listener[]>()
  const pending = new Map<number, PromiseWithResolvers<unknown>>()
  const ports = new Map<string, MessagePort>()
  let calls = 0

  /** Halts this world; the host, as debugger, looks at `question` and sets `answer`. */
  function ask(question: unknown): unknown {
    const place: { answer?: unknown } = {} // filled in from outside while this world stands still
    debugger // eslint-disable-line no-debugger
    return question === undefined ? undefined : place.answer
  }
  function relay(port: MessagePort, id: string): void {
    ports.set(id, port)
    port.onmessage = ({ data }: MessageEvent<unknown>) => { post({ type: 'port', id, data }) }
  }
  interface Delivery { type: string; id: string | number; channel: string; args: unknown[]; ports: string[]; value: unknown; error?: Error; data: unknown }
  const receive: Record<string, (message: Delivery) => void> = {
    message({ channel, args, ports: ids }) {
      const given = ids.map((id) => {
        const { port1, port2 } = new MessageChannel()
        relay(port1, id)
        return port2
      })
      for (const listener of [...(listeners.get(channel) ?? [])]) listener({ sender: ipcRenderer, ports: given }, ...args)
    },
    reply({ id, value, error }) {
      const waiting = pending.get(Number(id))
      pending.delete(Number(id))
      if (error) waiting?.reject(error)
      else waiting?.resolve(value)
    },
    port({ id, data }) { ports.get(String(id))?.postMessage(data) },
  }
  host.__inputs = []
  host.__deliver = async (text) => {
    blobs = await Promise.all(host.__inputs.map(async (input) => new Uint8Array((await input.files?.[0]?.arrayBuffer()) ?? new ArrayBuffer(0))))
    host.__inputs = []
    const message = unpack(JSON.parse(text)) as Delivery
    receive[message.type](message)
  }

  interface IpcRenderer {
    invoke: (channel: string, ...args: unknown[]) => Promise<unknown>
    send: (channel: string, ...args: unknown[]) => void
    postMessage: (channel: string, message: unknown, transfer?: MessagePort[]) => void
    on: (channel: string, listener: Listener) => IpcRenderer
    off: (channel: string, listener: Listener) => IpcRenderer
    removeListener: (channel: string, listener: Listener) => IpcRenderer
  }
  const ipcRenderer: IpcRenderer = {
    invoke(channel, ...args) {
      const waiting = Promise.withResolvers<unknown>()
      pending.set(++calls, waiting)
      post({ type: 'invoke', id: calls, channel, args })
      return waiting.promise
    },
    send(channel, ...args) { post({ type: 'send', channel, args, ports: [] }) },
    postMessage(channel, message, transfer = []) {
      const ids = transfer.map((port) => {
        const id = `page${String(++calls)}`
        relay(port, id)
        return id
      })
      post({ type: 'send', channel, args: [message], ports: ids })
    },
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener])
      return ipcRenderer
    },
    off(channel, listener) {
      listeners.set(channel, (listeners.get(channel) ?? []).filter((one) => one !== listener))
      return ipcRenderer
    },
    removeListener: (channel, listener) => ipcRenderer.off(channel, listener),
  }
  const electron = {
    ipcRenderer,
    contextBridge: { exposeInMainWorld: (key: string, api: Record<string, Callable>) => { call(1, [key, api]) } },
    webUtils: {
      getPathForFile(file: unknown): unknown {
        if (!(file instanceof File)) throw new TypeError('getPathForFile expects a File')
        return ask(file)
      },
    },
  }
  preload((name) => {
    if (name !== 'electron' && name !== 'electron/renderer') throw new Error(`module not found: ${name}`)
    return electron
  }, { ...env, type: 'renderer', sandboxed: true, contextIsolated: true, env: {} })
}
