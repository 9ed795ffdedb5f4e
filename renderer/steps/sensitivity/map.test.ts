import { expect, test } from 'vitest'
import { ModelSummary } from '../../../electron/contract/engine.ts'
import { Sensitivity } from '../../../electron/contract/sensitivity.ts'
import { emptyLive } from '../../state/live.ts'
import { buildMap } from './map.ts'

const layer = (name: string) => ({ name, kind: 'matmul' as const, shape: [8, 8], elements: 64, block: 0, ties: null })
const summary = ModelSummary.parse({
  path: 'm', name: 'm', format: 'safetensors', architecture: 'llama', parameters: 128, sizeBytes: 256, blocks: 1, contextLength: null, vocabulary: null, tensors: [], warnings: [],
  layers: [layer('a'), layer('b')],
})
const sensitivity = Sensitivity.parse({
  version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: { path: 'd', sha256: 'y' }, metric: 'kl', rounder: 'gptq', complete: false,
  layers: [{ ...layer('a'), excluded: { Q6_K: 'rows of 8' }, options: { Q4_K: { bytes: 36, value: 0.02, stderr: 0.001 }, Q2_K: { bytes: 21, value: 0.3, stderr: 0.01 } } }],
})

test('the saved map and what is measured now are one map, options by size', () => {
  const live = { ...emptyLive, cells: { b: { Q4_K: { value: 0.05, stderr: 0.002, bytes: 36 } } } }
  const map = buildMap({ summary, sensitivity }, live)
  expect(map.options).toEqual(['Q2_K', 'Q4_K'])
  expect(map.range).toEqual([0.02, 0.3])
  expect([map.measured, map.total]).toEqual([2, 2])
  expect(map.ranking.map(({ layer: name, option }) => [name, option])).toEqual([['b', 'Q4_K'], ['a', 'Q4_K']])
  expect(map.rows[0]?.excluded).toEqual({ Q6_K: 'rows of 8' })
})

test('a finished map is of all layers, also of those that take no format; formats of few layers have columns, 16 bits none', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const cost = { bytes: 36, value: 0.02, stderr: 0 }
  const finished = { ...sensitivity, complete: true, layers: names.map((name, at) => ({ ...layer(name), excluded: {}, options: at === 4 ? {} : at === 3 ? { Q4_0: cost, F16: { ...cost, bytes: 128 } } : { Q4_K: { ...cost, bytes: 37 } } })) }
  const map = buildMap({ summary: { ...summary, layers: names.map(layer) }, sensitivity: finished }, undefined)
  expect([map.measured, map.total]).toEqual([5, 5])
  expect(map.options).toEqual(['Q4_0', 'Q4_K'])
})

test('nothing measured is an empty map of all layers', () => {
  expect(buildMap({ summary, sensitivity: null }, undefined)).toMatchObject({ options: [], range: [0, 0], measured: 0, total: 2, ranking: [] })
})
