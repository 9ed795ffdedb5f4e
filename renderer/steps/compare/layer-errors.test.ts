import { expect, test } from 'vitest'
import { layerErrors } from './layer-errors.ts'

const tensor = (name: string, error: number, option = 'Q4_K') => ({ name, option, bytes: 1, error })

test('layers come in the order of the model, with the last error told of each and the baseline beside it', () => {
  const run = { tensors: [tensor('b', 2), tensor('a', 9), tensor('a', 1, 'Q6_K'), tensor('exact', 0)] }
  expect(layerErrors([{ name: 'a' }, { name: 'b' }, { name: 'exact' }, { name: 'missing' }], run, { tensors: [tensor('b', 3)] })).toEqual([
    { layer: 'a', option: 'Q6_K', error: 1, baseline: null }, { layer: 'b', option: 'Q4_K', error: 2, baseline: 3 },
  ])
})
