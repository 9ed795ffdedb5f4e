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

test('nothing measured is an empty map of all layers', () => {
  expect(buildMap({ summary, sensitivity: null }, undefined)).toMatchObject({ options: [], range: [0, 0], measured: 0, total: 2, ranking: [] })
})
