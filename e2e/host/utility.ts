/** @file Preloaded into the processes that stand for utility processes: gives them `process.parentPort`. */
import { EventEmitter } from 'node:events'
import { fields, list, text } from './strict.ts'

const ports = new Map<string, Port>()
if (!process.send) throw new Error('utility.ts runs only in a forked process')
const send = process.send.bind(process)

class Port extends EventEmitter {
  private readonly id: string | undefined
  constructor(id?: string) {
    super()
    this.id = id
  }
  postMessage(data: unknown): void { send({ id: this.id, data }) }
  start(): void { /* messages flow from the first listener on */ }
  close(): void { this.removeAllListeners() }
}

const parentPort = new Port()
Object.assign(process, { parentPort, type: 'utility', send: undefined })
const early: unknown[] = []

function deliver(message: unknown): void {
  const { id, data, ports: named } = fields(message)
  const given = list(named).map(text)
  for (const one of given) ports.set(one, new Port(one))
  const port = id === undefined ? parentPort : ports.get(text(id))
  port?.emit('message', { data, ports: given.map((one) => ports.get(one)) })
}
process.on('message', (message) => {
  if (parentPort.listenerCount('message') === 0) early.push(message)
  else deliver(message)
})
parentPort.on('newListener', (name) => { if (name === 'message') setImmediate(() => { early.splice(0).forEach(deliver) }) })
