import { describe, expect, it } from 'vitest'
import { createBuilder } from '../graph/builder.ts'
import { elementCount } from '../graph/element.ts'
import { productOf } from './hvp.ts'
import { jvp, tangentOf } from './jvp.ts'
import { gradientOf, seedOf, vjp } from './vjp.ts'
import { cases, type Case } from './check/cases.ts'
import { float32, float64, open, random, type Values } from './check/run.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Dimension, Graph } from '../graph/graph.ts'

/** Central differences in double: the error is of the order of step², the rounding of 1e-16 / step. */
const STEP = 1e-5
const TOLERANCE = 1e-7
/** Sums of a few dozen single-precision terms, in another order. */
const SINGLE_TOLERANCE = 2e-6

type Numbers = Readonly<Record<string, number[]>>

function graphOf({ inputs, build }: Case, type: 'float32' | 'float64', dim: (size: number, name: string, axis: number) => Dimension = (size) => size): { graph: Graph; outputs: string[] } {
  const b = createBuilder({ '': 23, 'com.microsoft': 1, halftone: 1 })
  for (const [name, shape] of Object.entries(inputs)) b.input(name, type, shape.map((size, axis) => dim(size, name, axis)))
  const built = build(b, type)
  const outputs = typeof built === 'string' ? [built] : [...built]
  for (const output of outputs) b.output(output, type, null)
  return { graph: b.build('case'), outputs }
}

function feeds(test: Case, values: Numbers, make = float64): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(test.inputs).map(([name, dims]) => [name, make(dims, values[name] ?? [])]))
}

function valuesOf(test: Case): Numbers {
  return Object.fromEntries(Object.entries(test.inputs).map(([name, dims], index) => [name, random(index + 1, dims, ...(test.range ?? []))]))
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index], 0)
}

function expectClose(found: readonly number[], expected: readonly number[], tolerance: number, what: string): void {
  expect(found.length, what).toBe(expected.length)
  const scale = Math.max(1, ...expected.map(Math.abs))
  const worst = Math.max(0, ...found.map((value, index) => Math.abs(value - expected[index]) / scale))
  expect(worst, `${what}: [${found.slice(0, 8).join(', ')}] for [${expected.slice(0, 8).join(', ')}]`).toBeLessThan(tolerance)
}

/** ∂⟨weights, f⟩/∂x by central differences, for every element of every input. */
async function differences(f: (values: Numbers) => Promise<number>, at: Numbers, names: readonly string[]): Promise<Numbers> {
  const result: Record<string, number[]> = {}
  for (const name of names) {
    result[name] = []
    for (let index = 0; index < at[name].length; index++) {
      const moved = async (by: number): Promise<number> => f({ ...at, [name]: at[name].map((value, place) => (place === index ? value + by : value)) })
      result[name].push((await moved(STEP) - await moved(-STEP)) / (2 * STEP))
    }
  }
  return result
}

function seeds(outputs: readonly string[], results: Readonly<Record<string, Values>>): Record<string, Tensor> {
  return Object.fromEntries(outputs.map((name, index) => [seedOf(name), float64(results[name].dims, random(index + 31, results[name].dims))]))
}

async function check(test: Case): Promise<void> {
  const names = Object.keys(test.inputs)
  const { graph, outputs } = graphOf(test, 'float64')
  const at = valuesOf(test)
  const forward = await open(graph)
  const y = await forward.run(feeds(test, at))
  const seed = seeds(outputs, y)
  const weighted = (results: Readonly<Record<string, Values>>): number => outputs.reduce((sum, name) => sum + dot(results[name].data, Array.from<number | bigint, number>(seed[seedOf(name)].data, Number)), 0)

  const first = vjp(graph, { of: outputs, wrt: names })
  const gradient = await open(first)
  const dx = await gradient.run({ ...feeds(test, at), ...seed })
  const numeric = await differences(async (values) => weighted(await forward.run(feeds(test, values))), at, names)
  for (const name of names) expectClose(dx[gradientOf(name)].data, numeric[name], TOLERANCE, `d/d${name}`)

  // The gradient's own gradient, along a direction in every input: H v.
  const second = vjp(vjp(graph, { of: outputs, wrt: names, virtual: true }), { of: names.map(gradientOf), wrt: names, gradientName: productOf })
  const product = await open(second)
  const v = Object.fromEntries(names.map((name, index) => [name, random(index + 57, test.inputs[name])]))
  const directions = Object.fromEntries(names.map((name) => [seedOf(gradientOf(name)), float64(test.inputs[name], v[name])]))
  const hv = await product.run({ ...feeds(test, at), ...seed, ...directions })
  const slope = async (values: Numbers): Promise<number> => {
    const found = await gradient.run({ ...feeds(test, values), ...seed })
    return names.reduce((sum, name) => sum + dot(found[gradientOf(name)].data, v[name]), 0)
  }
  const curved = await differences(slope, at, names)
  for (const name of names) expectClose(hv[productOf(name)].data, curved[name], TOLERANCE * 10, `second d/d${name}`)

  const tangent = await open(jvp(graph, { of: outputs, wrt: names }))
  const dy = await tangent.run({ ...feeds(test, at), ...Object.fromEntries(names.map((name) => [tangentOf(name), float64(test.inputs[name], v[name])])) })
  const shifted = (by: number): Numbers => Object.fromEntries(names.map((name) => [name, at[name].map((value, index) => value + by * v[name][index])]))
  const [up, down] = [await forward.run(feeds(test, shifted(STEP))), await forward.run(feeds(test, shifted(-STEP)))]
  for (const name of outputs) expectClose(dy[tangentOf(name)].data, up[name].data.map((value, index) => (value - down[name].data[index]) / (2 * STEP)), TOLERANCE, `tangent of ${name}`)
  for (const session of [forward, gradient, product, tangent]) session.close()
}

/** Sizes that real models fix: those of weights, and the channels that weights share with their input. */
function isFixed(test: Case, name: string, axis: number): boolean {
  const hasWeights = 'w' in test.inputs || 'scale' in test.inputs
  return ['w', 'c', 'scale', 'bias', 'slope', 'mean', 'deviation'].includes(name) || (hasWeights && axis === 1)
}

/** With nothing known of the sizes the result is the same. In single precision, as the double forms want sizes. */
async function checkDynamic(test: Case): Promise<void> {
  const names = Object.keys(test.inputs)
  const at = valuesOf(test)
  const known = graphOf(test, 'float32')
  const free = graphOf(test, 'float32', (size, name, axis) => (size === 1 || isFixed(test, name, axis) ? size : `${name}${axis}`))
  const forward = await open(known.graph)
  const y = await forward.run(feeds(test, at, float32))
  const seed = Object.fromEntries(known.outputs.map((name, index) => [seedOf(name), float32(y[name].dims, random(index + 31, y[name].dims))]))
  const [fixed, running] = [await open(vjp(known.graph, { of: known.outputs, wrt: names })), await open(vjp(free.graph, { of: free.outputs, wrt: names }))]
  const inputs = { ...feeds(test, at, float32), ...seed }
  const [expected, found] = [await fixed.run(inputs), await running.run(inputs)]
  for (const name of names) {
    expect(found[gradientOf(name)].dims).toEqual(test.inputs[name])
    expectClose(found[gradientOf(name)].data, expected[gradientOf(name)].data, SINGLE_TOLERANCE, `d/d${name}`)
  }
  const directions = Object.fromEntries(names.map((name, index) => [tangentOf(name), float32(test.inputs[name], random(index + 57, test.inputs[name]))]))
  const [fixedTangent, runningTangent] = [await open(jvp(known.graph, { of: known.outputs, wrt: names })), await open(jvp(free.graph, { of: free.outputs, wrt: names }))]
  const [dy, dyFound] = [await fixedTangent.run({ ...inputs, ...directions }), await runningTangent.run({ ...inputs, ...directions })]
  for (const name of known.outputs) expectClose(dyFound[tangentOf(name)].data, dy[tangentOf(name)].data, SINGLE_TOLERANCE, `tangent of ${name}`)
  for (const session of [forward, fixed, running, fixedTangent, runningTangent]) session.close()
}

describe('gradient rules', () => {
  for (const [operator, tests] of Object.entries(cases)) {
    for (const test of tests as readonly Case[]) {
      it(`${operator}: ${test.name}: gradient, second derivative and tangent are those of central differences`, () => check(test))
      if (test.fixed === undefined) it(`${operator}: ${test.name}: sizes known only while running`, () => checkDynamic(test))
    }
  }
})

describe('double forms', () => {
  for (const [operator, tests] of Object.entries(cases)) {
    for (const test of tests as readonly Case[]) {
      it(`${operator}: ${test.name}: the runtime's float kernel agrees`, async () => {
        const at = valuesOf(test)
        const [single, double] = [await open(graphOf(test, 'float32').graph), await open(graphOf(test, 'float64').graph)]
        const [found, expected] = [await single.run(feeds(test, at, float32)), await double.run(feeds(test, at))]
        for (const [name, { dims, data }] of Object.entries(expected)) {
          expect(found[name].dims).toEqual(dims)
          expectClose(found[name].data, data, SINGLE_TOLERANCE, name)
          expect(elementCount(dims)).toBe(data.length)
        }
        single.close()
        double.close()
      })
    }
  }
})
