import { expect, test } from 'vitest'
import { jobStates } from '../contract/job.ts'
import { move } from './job-state.ts'

test('the whole table: from each state, what pausing, cancelling and resuming lead to', () => {
  const rows = jobStates.map((state) => [state, move(state, 'pause') ?? '-', move(state, 'cancel') ?? '-', move(state, 'resume') ?? '-'].join(' '))
  expect(rows).toEqual([
    'waiting paused cancelled -', 'running pausing cancelling -', 'pausing - cancelling -', 'paused - cancelled waiting', 'cancelling - - -', 'cancelled - - waiting',
    'interrupted - cancelled waiting', 'failed - - waiting', 'done - - -', 'done-with-warnings - - -',
  ])
})

test('a job that ends while it is being stopped ends as what it is', () => {
  expect(move('cancelling', 'finish')).toBe('done')
  expect(move('cancelling', 'fail')).toBe('cancelled')
  expect(move('pausing', 'interrupt')).toBe('paused')
})
