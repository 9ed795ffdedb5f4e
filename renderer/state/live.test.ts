import { expect, test } from 'vitest'
import type { TimedEvent } from '../../electron/contract/events.ts'
import { emptyLive, foldEvents } from './live.ts'

const cell = (layer: string, option: string, value: number): TimedEvent => ({ type: 'cell', layer, option, value, stderr: 0.1, bytes: 8, at: 0 })

test('batches add up, and the newest value of a cell counts', () => {
  const once = foldEvents(emptyLive, [cell('a', 'Q4_K', 1), cell('a', 'Q2_K', 2), { type: 'stage', stage: 'measure', total: 2, at: 0 }])
  const twice = foldEvents(once, [cell('a', 'Q4_K', 3), cell('b', 'Q4_K', 4), { type: 'point', series: 'loss', step: 1, value: 5, at: 0 }, { type: 'log', level: 'warning', text: 'odd', at: 0 }])
  expect(twice.cells).toEqual({
    a: { Q4_K: { value: 3, stderr: 0.1, bytes: 8 }, Q2_K: { value: 2, stderr: 0.1, bytes: 8 } },
    b: { Q4_K: { value: 4, stderr: 0.1, bytes: 8 } },
  })
  expect([twice.series, twice.log, twice.stages]).toEqual([{ loss: { step: [1], value: [5] } }, [{ level: 'info', text: 'measure begins, 2 to do' }, { level: 'warning', text: 'odd' }], ['measure']])
  expect(once.cells.a?.Q4_K?.value).toBe(1) // the earlier state is untouched
})

test('the log keeps its end', () => {
  const lines = Array.from({ length: 2500 }, (_, i): TimedEvent => ({ type: 'log', level: 'info', text: String(i), at: 0 }))
  const { log } = foldEvents(emptyLive, lines)
  expect([log.length, log[0]?.text, log.at(-1)?.text]).toEqual([2000, '500', '2499'])
})

test('pieces of work are timed from the one before them, or from the beginning of their stage, over batches and pauses', () => {
  const tensor = (name: string, bytes: number, at: number): TimedEvent => ({ type: 'tensor', name, option: 'Q4_K', bytes, error: 1, at })
  const loss = (step: number, at: number): TimedEvent => ({ type: 'point', series: 'loss', step, value: 1, at })
  const first = foldEvents(emptyLive, [{ type: 'stage', stage: 'quantize', total: 3, at: 1000 }, tensor('a', 10, 1500)])
  const second = foldEvents(first, [tensor('b', 20, 1600), { type: 'stage', stage: 'quantize', total: 3, at: 90_000 }, tensor('c', 30, 90_200)])
  expect(second.stored).toEqual([{ name: 'a', amount: 10, ms: 500 }, { name: 'b', amount: 20, ms: 100 }, { name: 'c', amount: 30, ms: 200 }])
  const { trained } = foldEvents(second, [{ type: 'stage', stage: 'train', total: 2, at: 91_000 }, loss(1, 91_400), { type: 'point', series: 'gradient norm', step: 1, value: 1, at: 91_400 }, loss(2, 91_700)])
  expect(trained).toEqual([{ name: 'step 1', amount: 1, ms: 400 }, { name: 'step 2', amount: 1, ms: 300 }])
})
