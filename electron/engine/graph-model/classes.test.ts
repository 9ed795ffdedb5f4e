import { expect, test } from 'vitest'
import { createBuilder } from '../graph/builder.ts'
import { classOutputs } from './classes.ts'
import { weight } from './testing.ts'

/** A product over tokens or over features, as an output of that name. */
function scored(input: 'input_ids' | 'features', output: string): ReturnType<typeof classOutputs> {
  const b = createBuilder({ '': 17 })
  const rows = input === 'input_ids' ? b.one('Gather', [weight(b, 'table', [96, 32], 1), b.input(input, 'int64', ['n', 't'])]) : b.input(input, 'float32', ['n', 't', 32])
  b.output(b.one('MatMul', [rows, weight(b, 'head', [32, 20], 2)], {}, { outputs: [output] }), 'float32', ['n', 't', 20])
  return classOutputs(b.build('scored'))
}

test('logits of the tokens of a text are classes; other values a place are not', () => {
  expect(scored('input_ids', 'logits')).toEqual([{ output: 'logits', logits: 'logits', isProbability: false }])
  expect(scored('input_ids', 'last_hidden_state')).toEqual([])
  expect(scored('features', 'logits')).toEqual([]) // of detectors they may be independent of each other
})
