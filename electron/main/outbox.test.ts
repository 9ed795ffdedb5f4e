import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Sequenced } from '../contract/api.ts'
import type { TimedEvent } from '../contract/events.ts'
import { createOutbox } from './outbox.ts'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })
const line = (text: string): TimedEvent => ({ type: 'log', level: 'info', text, at: 0 })

test('events of a job are gathered, numbered, and never overtaken by what became of it', () => {
  const sent: Sequenced[] = []
  const outbox = createOutbox((event) => { sent.push(event) })
  outbox.sendJobEvent('a', line('1'))
  outbox.sendJobEvent('a', line('2'))
  expect(sent).toEqual([])
  vi.advanceTimersByTime(50)
  outbox.sendJobEvent('a', line('3'))
  outbox.send({ type: 'order', ids: [] })
  vi.advanceTimersByTime(1000)
  expect(sent).toEqual([
    { seq: 1, type: 'job-events', id: 'a', events: [line('1'), line('2')] },
    { seq: 2, type: 'job-events', id: 'a', events: [line('3')] },
    { seq: 3, type: 'order', ids: [] },
  ])
})
