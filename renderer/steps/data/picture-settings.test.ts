import { expect, test } from 'vitest'
import { parseNumbers, parseSize } from './picture-settings.ts'

test('sizes and numbers are read as people write them', () => {
  expect(parseSize('224')).toEqual([224, 224])
  expect(parseSize(' 48 x 192 ')).toEqual([48, 192])
  expect(parseSize('48×192')).toEqual([48, 192])
  for (const bad of ['', '0', '3.5', '48x', 'wide']) expect(parseSize(bad)).toBeUndefined()
  expect(parseNumbers('0.485, 0.456,0.406')).toEqual([0.485, 0.456, 0.406])
  expect(parseNumbers('0.5')).toEqual([0.5])
  for (const bad of ['', 'a', '1 2 3 4 5']) expect(parseNumbers(bad)).toBeUndefined()
})
