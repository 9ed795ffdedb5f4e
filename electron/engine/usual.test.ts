import path from 'node:path'
import { expect, test } from 'vitest'
import { createBuilder } from './graph/builder.ts'
import { writeModel } from './graph/write.ts'
import type { Graph } from './graph/graph.ts'
import { halfCnn, smallCnn, smallEncoder, weight } from './graph-model/testing.ts'
import { obstaclesOf } from './graph-model/obstacles.ts'
import { withFolder } from './io/temporary-folder.ts'
import { usualMetric, usualRounder } from './usual.ts'

const metricOf = (graph: Graph): Promise<string> => withFolder(async (folder) => {
  const file = path.join(folder, 'model.onnx')
  await writeModel(graph, file)
  return usualMetric(file)
})

/** A product whose result goes through an operator without a derivative. */
function opaque(): Graph {
  const b = createBuilder({ '': 21 })
  b.output(b.one('Det', [b.one('MatMul', [b.input('x', 'float32', ['n', 32]), weight(b, 'w', [32, 32], 1)])]), 'float32', null)
  return b.build('opaque')
}

/** A spelling that is written by others: the maximum of every channel's map. */
function pooled(): Graph {
  const b = createBuilder({ '': 15 })
  b.output(b.one('GlobalMaxPool', [b.one('Conv', [b.input('x', 'float32', ['n', 3, 8, 8]), weight(b, 'w', [32, 3, 3, 3], 1)])]), 'float32', null)
  return b.build('pooled')
}

test('what can be written by operators with derivatives is none without; what cannot is named', () => {
  expect(obstaclesOf(pooled())).toEqual(new Map())
  expect([...obstaclesOf(opaque()).keys()]).toEqual(['Det'])
})

test('graphs are measured by gradients where they have them, all else by scaled divergences', async () => {
  expect(await metricOf(smallCnn(13))).toBe('fisher')
  expect(await metricOf(smallEncoder())).toBe('fisher')
  expect(await metricOf(pooled())).toBe('fisher')
  expect(await metricOf(await halfCnn(17))).toBe('fisher')
  expect(await metricOf(opaque())).toBe('kl-scaled')
  expect(await usualMetric(path.join(import.meta.dirname, 'session/goldens/llama'))).toBe('kl-scaled')
  expect([usualRounder('model.onnx'), usualRounder('/models/llama')]).toEqual(['gptq', 'guided'])
})
