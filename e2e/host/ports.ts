/** @file Message ports of the main process. Pairs live here; what crosses to a page or a child is relayed by name. */
import { emitter } from './strict.ts'

export class MessagePortMain extends emitter('MessagePortMain') {
  peer: MessagePortMain | undefined
  private queue: unknown[] | undefined = []

  postMessage(data: unknown, transfer: MessagePortMain[] = []): void { this.peer?.take({ data: structuredClone(data), ports: transfer }) }
  take(event: unknown): void {
    if (this.queue) this.queue.push(event)
    else setImmediate(() => this.emit('message', event))
  }
  start(): void {
    const waiting = this.queue ?? []
    this.queue = undefined
    for (const event of waiting) this.take(event)
  }
  close(): void { this.peer?.emit('close') }
}

export class MessageChannelMain {
  readonly port1 = new MessagePortMain()
  readonly port2 = new MessagePortMain()
  constructor() {
    this.port1.peer = this.port2
    this.port2.peer = this.port1
  }
}

/** The main process's ends of ports that live elsewhere. */
export class Relay {
  private readonly ports = new Map<string, MessagePortMain>()
  private readonly send: (id: string, data: unknown) => void
  constructor(send: (id: string, data: unknown) => void) { this.send = send }

  /** Keeps a transferred port's end here and names it for the other side. */
  export(port: MessagePortMain, id: string = crypto.randomUUID()): string {
    this.ports.set(id, port)
    port.on('message', ({ data }: { data: unknown }) => { this.send(id, data) })
    port.start()
    return id
  }
  /** A port that came from the other side under this name. */
  import(id: string): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain()
    this.export(port1, id)
    return port2
  }
  receive(id: string, data: unknown): void { this.ports.get(id)?.postMessage(data) }
}
