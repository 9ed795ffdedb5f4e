import { expect, test } from 'vitest'
import type { JobEvent } from '../../electron/contract/events.ts'
import { emptyLive, foldEvents } from './live.ts'

const cell = (layer: string, option: string, value: number): JobEvent => ({ type: 'cell', layer, option, value, stderr: 0.1, bytes: 8 })

test('batches add up, and the newest value of a cell counts', () => {
  const once = foldEvents(emptyLive, [cell('a', 'Q4_K', 1), cell('a', 'Q2_K', 2), { type: 'stage', stage: 'measure', total: 2 }])
  const twice = foldEvents(once, [cell('a', 'Q4_K', 3), cell('b', 'Q4_K', 4), { type: 'point', series: 'loss', step: 1, value: 5 }, { type: 'log', level: 'warning', text: 'odd' }])
  expect(twice.cells).toEqual({
    a: { Q4_K: { value: 3, stderr: 0.1, bytes: 8 }, Q2_K: { value: 2, stderr: 0.1, bytes: 8 } },
    b: { Q4_K: { value: 4, stderr: 0.1, bytes: 8 } },
  })
  expect([twice.series, twice.log, twice.stages]).toEqual([{ loss: { step: [1], value: [5] } }, [{ level: 'info', text: 'measure begins, 2 to do' }, { level: 'warning', text: 'odd' }], ['measure']])
  expect(once.cells.a?.Q4_K?.value).toBe(1) // the earlier state is untouched
})

test('the log keeps its end', () => {
  const lines = Array.from({ length: 2500 }, (_, i): JobEvent => ({ type: 'log', level: 'info', text: String(i) }))
  const { log } = foldEvents(emptyLive, lines)
  expect([log.length, log[0]?.text, log.at(-1)?.text]).toEqual([2000, '500', '2499'])
})
