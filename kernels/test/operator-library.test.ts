import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runtime } from '../runtime.ts'
import { compile } from './compile.ts'
import { floats, model } from './models.ts'

const numbers = z.array(z.number())
const golden = z.object({
  bits: z.number(), K: z.number(), group: z.number(), N: z.number(), M: z.number(), codes: z.base64(), scales: numbers, zeros: numbers.nullable(),
  A: numbers, dY: numbers, Y: numbers, dA: numbers, dScales: numbers,
})
type Golden = z.infer<typeof golden>
const goldens = z.array(golden).parse(JSON.parse(readFileSync(path.join(import.meta.dirname, 'goldens', 'qmatmul.json'), 'utf8')))

const nodes = {
  Y: { op: 'QMatMul', operands: ['A'], attributes: {} },
  dA: { op: 'QMatMul', operands: ['dY'], attributes: { backward: 1 } },
  dScales: { op: 'QMatMulScaleGrad', operands: ['A', 'dY'], attributes: {} },
} as const
type Result = keyof typeof nodes

/** A model of one node, all of its inputs inside. */
function closedModel(golden: Golden, result: Result): Uint8Array {
  const { op, operands, attributes } = nodes[result]
  return model((b) => {
    const initializer = (name: string, rows: number, values: readonly number[]) =>
      b.initializer({ name, type: 'float32', dims: [rows, values.length / rows], data: new Uint8Array(Float32Array.from(values).buffer) })
    const codes = Buffer.from(golden.codes, 'base64')
    const inputs = operands.map((name) => initializer(name, golden.M, golden[name]))
    inputs.push(b.initializer({ name: 'codes', type: 'uint8', dims: [golden.N, codes.length / golden.N], data: codes }), initializer('scales', golden.N, golden.scales))
    if (golden.zeros) inputs.push(initializer('zeros', golden.N, golden.zeros))
    const numbers = Object.entries({ K: golden.K, bits: golden.bits, group: golden.group, ...attributes }).map(([name, int]) => [name, { int }] as const)
    b.output(b.one(op, inputs, Object.fromEntries(numbers), { domain: 'halftone', outputs: [result] }), 'float32', ['r', 'c'])
  })
}

function relativeError(found: ArrayLike<number>, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs))
  return Math.max(...expected.map((value, i) => Math.abs((found[i] ?? NaN) - value) / largest))
}

// Float sums of up to 128 terms against float64.
const tolerance = 2e-6

describe.each(goldens)('$bits bits, $N x $K, group $group, $M rows, against NumPy', (golden) => {
  it.each(['Y', 'dA', 'dScales'] as const)('%s', async (result) => {
    const session = await runtime().createSession(closedModel(golden, result))
    const outputs = await session.run({}, { [result]: null })
    expect(floats(outputs[result])).toHaveLength(golden[result].length)
    expect(relativeError(floats(outputs[result]), golden[result])).toBeLessThan(tolerance)
  })
})

describe('the library by itself', () => {
  let folder = ''
  beforeAll(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'halftone-library-')) })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('adds the operators to a runtime that knows nothing of the addon', () => {
    const host = compile(folder, 'library-host', [path.join(import.meta.dirname, 'library-host.cc')])
    const build = process.env.HALFTONE_KERNELS ?? path.join(import.meta.dirname, '..', 'build')
    const library = path.join(build, process.platform === 'win32' ? 'halftone_ops.dll' : process.platform === 'darwin' ? 'libhalftone_ops.dylib' : 'libhalftone_ops.so')
    for (const [i, result] of (['Y', 'dA', 'dScales'] as const).entries()) {
      const golden = goldens[i + 1]
      if (!golden) throw new Error('no golden')
      const file = path.join(folder, 'model.onnx')
      writeFileSync(file, closedModel(golden, result))
      const { stdout, stderr, status } = spawnSync(host, [runtime().file, library, file, result], { encoding: 'utf8', env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
      expect(relativeError(stdout.trim().split('\n').map(Number), golden[result])).toBeLessThan(tolerance)
    }
  })
})
