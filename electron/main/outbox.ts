/**
 * @file What main tells the window: numbered without gaps; what a job says is gathered and sent at most twenty times a second.
 */
import type { AppEvent, Sequenced } from '../contract/api.ts'
import type { TimedEvent } from '../contract/events.ts'

const gatherMs = 50

export interface Outbox {
  readonly seq: () => number
  send: (event: AppEvent) => void
  sendJobEvent: (id: string, event: TimedEvent) => void
}

export function createOutbox(post: (event: Sequenced) => void): Outbox {
  const gathered = new Map<string, TimedEvent[]>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let seq = 0
  const number = (event: AppEvent): void => { post({ ...event, seq: ++seq }) }
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const [id, events] of gathered) number({ type: 'job-events', id, events })
    gathered.clear()
  }
  return {
    seq: () => seq,
    send(event) {
      flush() // what a job said comes before what became of it
      number(event)
    },
    sendJobEvent(id, event) {
      const events = gathered.get(id) ?? []
      events.push(event)
      gathered.set(id, events)
      timer ??= setTimeout(flush, gatherMs)
    },
  }
}
