import { expect, test } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { fileProblem } from './problems.ts'

test.each([
  ['ENOENT', 'file-missing', 'found nothing there'],
  ['EROFS', 'file-unreadable', 'found a read-only disk'],
  ['EACCES', 'file-unreadable', 'found no permission'],
  ['ENOSPC', 'disk-full', 'found no space left'],
  ['EIO', 'file-unreadable', 'found an input/output error of the disk'],
])('%s becomes %s', (code, expected, found) => {
  expect(fileProblem('/a/b', 'writing', Object.assign(new Error('x'), { code }))).toMatchObject({ code: expected, message: `/a/b: writing failed, ${found}` })
})

test('other values are passed on', () => {
  const known = new AppError('cancelled', 'Cancelled')
  expect(fileProblem('/a', 'writing', known)).toBe(known)
  const plain = new TypeError('x')
  expect(fileProblem('/a', 'writing', plain)).toBe(plain)
})
