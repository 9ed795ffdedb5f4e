import { expect, test } from 'vitest'
import type { Plan } from '../../../electron/contract/engine.ts'
import { correctionLabel, gainWords, unavailable } from './correction-words.ts'

function plan(loss: number, ranks: readonly number[]): Plan {
  return {
    recipe: {
      version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 3 }, pins: {}, metric: 'kl', rounder: 'gptq', correction: 'none', seed: 0,
      choice: ranks.map((rank, i) => ({ name: `l${String(i)}`, option: 'Q2_K', rank, bytes: 1, predictedLoss: 1 })), predicted: { sizeBytes: 1, bitsPerWeight: 3, peakMemoryBytes: 1, elapsedMs: 1, loss },
    },
    curve: [], uniform: [], warnings: [], elapsedMs: 1,
  }
}

test('the gain is told at the same budget, and where there is none, that', () => {
  expect(gainWords(plan(2, [0, 0]), plan(1.5, [8, 4]))).toBe('At this size: adapters on 2 layers, predicted loss 25 % lower.')
  expect(gainWords(plan(2, [0, 0]), plan(2, [0, 0]))).toMatch(/spends no byte on adapters/)
})

test('a correction that would do nothing is not offered', () => {
  expect(unavailable('none', null, true)).toBeNull()
  expect(unavailable('eora', 'eora', false)).toBeNull()
  expect(unavailable('eora', null, false)).toMatch(/measured without/)
  expect(unavailable('eora', 'eora', true)).toMatch(/data/)
  expect(unavailable('lrec', 'eora', false)).toBeNull()
  expect(unavailable('lrec', null, false)).toMatch(/measured without/)
  expect(unavailable('scales', null, false)).toBeNull()
  expect(unavailable('scales', null, true)).toMatch(/data/)
})

test('a correction is called what the window calls it, or by its own name', () => {
  expect(correctionLabel('eora')).toBe('Adapters, fitted')
  expect(correctionLabel('svd')).toBe('svd')
})
