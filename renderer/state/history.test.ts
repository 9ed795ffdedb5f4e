import { expect, test } from 'vitest'
import { record, redo, undo, type History } from './history.ts'

test('undo goes back, redo forth, and a new change forgets what was undone', () => {
  const none: History<number> = { past: [], future: [] }
  const changed = record(record(none, 1), 2) // 1 → 2 → 3
  const back = undo(changed, 3)
  expect(back).toEqual({ value: 2, history: { past: [1], future: [3] } })
  if (!back) return
  expect(redo(back.history, 2)).toEqual({ value: 3, history: { past: [1, 2], future: [] } })
  expect(record(back.history, 2)).toEqual({ past: [1, 2], future: [] })
  expect([undo(none, 1), redo(none, 1)]).toEqual([undefined, undefined])
})
