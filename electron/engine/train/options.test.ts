import { expect, test } from 'vitest'
import { pace, TrainOptions } from './options.ts'

const codes = (options: object): number => pace(TrainOptions.parse(options), 256).rates.codes

test('by chance, codes move as far in a long run as in a short one', () => {
  // Steps that each go either way by the rate lead as far as the rate times the root of their number.
  for (const steps of [2000, 6000, 40_000]) expect(codes({ steps }) * Math.sqrt(steps)).toBeCloseTo(codes({ steps: 1000 }) * Math.sqrt(1000), 9)
  expect(codes({ steps: 6000 })).toBeCloseTo(0.0012, 4)
  expect(codes({ steps: 10 })).toBe(0.005)
  expect(codes({ steps: 10, codeRate: 0.1 })).toBe(0.1)
})

test('scales and norms are slower beside codes', () => {
  const rates = (trainable: TrainOptions['trainable']) => pace(TrainOptions.parse({ trainable }), 256).rates
  const [alone, beside] = [rates(['scales', 'norms']), rates(['codes', 'scales', 'norms'])]
  expect([beside.scales / alone.scales, beside.norms / alone.norms]).toEqual([expect.closeTo(0.3), expect.closeTo(0.3)])
  expect(pace(TrainOptions.parse({ trainable: ['codes', 'scales'], scaleRate: 0.01 }), 256).rates.scales).toBe(0.01)
})

test('rates of branches, scales and norms fall with the root of the width', () => {
  const options = TrainOptions.parse({})
  const [narrow, wide] = [pace(options, 256).rates, pace(options, 1024).rates]
  for (const set of ['adapters', 'scales', 'norms'] as const) expect(wide[set]).toBeCloseTo(narrow[set] / 2, 12)
  expect([pace(options, 64).rates, wide.codes]).toEqual([narrow, narrow.codes])
})
