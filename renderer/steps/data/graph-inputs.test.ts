import { describe, expect, test } from 'vitest'
import { hasFixedSize, inputText, parseNumbers, parseSize, takesPictures, takesTokens } from './graph-inputs.ts'

const picture = (...shape: (number | string | null)[]) => [{ name: 'x', type: 'float32', shape }]

describe('what a graph takes', () => {
  test('pictures: one input of four dimensions with channels first or last', () => {
    expect(takesPictures(picture('n', 3, 224, 224))).toBe(true)
    expect(takesPictures(picture(null, 'h', 'w', 1))).toBe(true)
    expect(takesPictures(picture('n', 4, 224, 224))).toBe(false)
    expect(takesPictures(picture('n', 3, 224))).toBe(false)
    expect(takesPictures([...picture('n', 3, 8, 8), ...picture('n', 3, 8, 8)])).toBe(false)
    expect(hasFixedSize(picture('n', 3, 48, 192))).toBe(true)
    expect(hasFixedSize(picture('n', 3, 48, 'width'))).toBe(false)
    expect(hasFixedSize(picture('n', 48, 192, 3))).toBe(true)
  })

  test('tokens, and words for both', () => {
    expect(takesTokens([{ name: 'input_ids', type: 'int64', shape: ['n', 't'] }])).toBe(true)
    expect(takesTokens(picture('n', 3, 8, 8))).toBe(false)
    expect(inputText({ name: 'x', type: 'float32', shape: ['n', null, 3] })).toBe('float32 [n, ?, 3]')
    expect(inputText({ name: 'x', type: 'float32', shape: null })).toBe('float32 […]')
  })
})

test('sizes and numbers are read as people write them', () => {
  expect(parseSize('224')).toEqual([224, 224])
  expect(parseSize(' 48 x 192 ')).toEqual([48, 192])
  expect(parseSize('48×192')).toEqual([48, 192])
  for (const bad of ['', '0', '3.5', '48x', 'wide']) expect(parseSize(bad)).toBeUndefined()
  expect(parseNumbers('0.485, 0.456,0.406')).toEqual([0.485, 0.456, 0.406])
  expect(parseNumbers('0.5')).toEqual([0.5])
  for (const bad of ['', 'a', '1 2 3 4 5']) expect(parseNumbers(bad)).toBeUndefined()
})
