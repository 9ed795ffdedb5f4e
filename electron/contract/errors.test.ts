import { expect, test } from 'vitest'
import { AppError, errorFields } from './errors.ts'

test.each([
  new RangeError('Array buffer allocation failed'), new Error('std::bad_alloc'), new Error('bad allocation'), new Error("ENOMEM: not enough memory, read '/m'"),
  new AppError('runtime-failed', 'running a session: Failed to allocate memory for requested buffer of size 8589934592'),
])('memory that ran out is told as such: $message', (cause) => {
  expect(errorFields(cause)).toMatchObject({ code: 'out-of-memory', message: `Memory ran out: ${cause.message}`, hint: expect.stringContaining('Close other programs') as string })
})

test('an error that has its own words keeps them', () => {
  expect(errorFields(new AppError('file-malformed', 'out of memory.onnx: not enough memory', { hint: 'h' }))).toEqual({ code: 'file-malformed', message: 'out of memory.onnx: not enough memory', hint: 'h' })
  expect(errorFields(new Error('allocator'))).toEqual({ code: 'internal', message: 'allocator' })
})
