import { expect, test } from 'vitest'
import { differences } from './diff.ts'

const marked = (text: string, other: string): string => differences(text, other).map((piece) => (piece.isDifferent ? `[${piece.text}]` : piece.text)).join('')

test.each([
  ['the cat sat', 'the cat sat', 'the cat sat'],
  ['the cat sat', 'the dog sat', 'the[ cat] sat'],
  ['the cat sat down', 'the cat', 'the cat[ sat down]'],
  ['the cat', 'the big cat', 'the cat'],
  ['', 'x', ''],
  ['a b', '', '[a b]'],
])('"%s" beside "%s" is %s', (text, other, expected) => {
  expect(marked(text, other)).toBe(expected)
})

test('nothing of the text is lost', () => {
  const text = 'one  two\nthree four '
  expect(differences(text, 'one three').map((piece) => piece.text).join('')).toBe(text)
})
