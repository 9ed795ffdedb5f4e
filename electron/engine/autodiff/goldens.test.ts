import { describe, expect, it } from 'vitest'
import { runtime } from '../../../kernels/runtime.ts'
import { encodeModel } from '../graph/encode.ts'
import { goldenNames, openGolden } from './check/goldens.ts'
import { directionOf, hvp, productOf } from './hvp.ts'
import { gradientOf } from './vjp.ts'
import type { CanonicalOptions } from '../graph/canonical.ts'
import type { Tensor } from '../../../kernels/kernels.ts'

/** Single precision against double, relative to the largest element of each tensor: sums of some thousand terms. */
const TOLERANCE = 2e-5

function worst(found: Tensor | undefined, expected: Float32Array): number {
  const data = Array.from<number | bigint, number>(found?.data ?? [], Number)
  if (data.length !== expected.length) return Infinity
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-3)
  return data.reduce((largest, value, index) => Math.max(largest, Math.abs(value - expected[index]) / scale), 0)
}

const sizes: Readonly<Record<string, CanonicalOptions['sizes']>> = {
  'sizes known': { batch: 3, 'input.0': 3, height: 20, width: 18 },
  'sizes known only while running': {},
}

describe('networks exported by PyTorch', () => {
  for (const name of goldenNames) {
    for (const [what, given = {}] of Object.entries(sizes)) {
      it(`${name}, ${what}: loss, gradients and Hessian-vector products are those of PyTorch in double`, async () => {
        const golden = await openGolden(name, { sizes: name === 'resnet' && 'batch' in given ? { ...given, batch: 4, 'input.0': 4 } : given })
        const { graph, parameters, feeds, expected, sizes: shapes } = golden
        const session = await runtime().createSession(encodeModel(hvp(graph, { loss: 'loss', wrt: parameters, keep: ['loss'] })), { threads: 1 })
        const directions: Record<string, Tensor> = {}
        for (const parameter of parameters) directions[directionOf(parameter)] = { type: 'float32', dims: shapes.get(parameter) ?? [], data: await golden.read(`v.${parameter}`) }
        const result = await session.run({ ...feeds, ...directions }, Object.fromEntries(session.outputNames.map((output) => [output, null])))
        session.dispose()
        expect(Number(result.loss.data[0])).toBeCloseTo(expected.loss, 5)
        for (const parameter of parameters) {
          expect(worst(result[gradientOf(parameter)], await golden.read(`grad.${parameter}`)), `gradient of ${parameter}`).toBeLessThan(TOLERANCE)
          expect(worst(result[productOf(parameter)], await golden.read(`hvp.${parameter}`)), `product of ${parameter}`).toBeLessThan(TOLERANCE)
        }
      })
    }
  }
})
