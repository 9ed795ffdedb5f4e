import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { open, random } from '../autodiff/check/run.ts'
import { canonical } from './canonical.ts'
import { cutGraph } from './cut.ts'
import { fold } from './fold.ts'
import { readModel } from './read.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from './graph.ts'

const goldens = path.join(import.meta.dirname, '../autodiff/goldens')

const inputs: Readonly<Record<string, Tensor>> = {
  transformer: { type: 'int64', dims: [2, 6], data: BigInt64Array.from([1, 4, 2, 8, 5, 7, 3, 0, 6, 6, 9, 18], BigInt) },
  resnet: { type: 'float32', dims: [2, 3, 20, 18], data: Float32Array.from(random(1, [2, 3, 20, 18])) },
  mobilenet: { type: 'float32', dims: [2, 3, 15, 16], data: Float32Array.from(random(1, [2, 3, 15, 16])) },
}

async function runBlocks(blocks: readonly Graph[], feeds: Readonly<Record<string, Tensor>>): Promise<readonly number[]> {
  const values: Record<string, Tensor> = { ...feeds }
  for (const block of blocks) {
    const { run, close } = await open(block)
    const made = await run(Object.fromEntries(block.inputs.map(({ name }) => [name, values[name]])))
    for (const { name, type } of block.outputs) {
      const { dims, data } = made[name]
      values[name] = type === 'int64' ? { type, dims, data: BigInt64Array.from(data, BigInt) } : { type: 'float32', dims, data: Float32Array.from(data) }
    }
    close()
  }
  return Array.from<number | bigint, number>(values.logits.data, Number)
}

describe('cutGraph', () => {
  // Embedding, attention and MLP of two blocks, head; stem, two units, classifier; stem, one unit, the parts of one without residual, classifier.
  const expected = { transformer: 6, resnet: 4, mobilenet: 8 } as const
  for (const [name, input] of Object.entries(inputs)) {
    it(`cuts the ${name} into blocks that compute it`, async () => {
      const graph = await fold(canonical(await readModel(path.join(goldens, `${name}.onnx`))))
      const blocks = cutGraph(graph)
      const whole = await open(graph)
      const [found, wanted] = [await runBlocks(blocks, { input }), (await whole.run({ input })).logits.data]
      whole.close()
      found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index], 4))
      expect(blocks.length).toBe(expected[name as keyof typeof expected])
      expect(blocks.flatMap(({ nodes }) => nodes).length).toBe(graph.nodes.length)
      // One value passes between neighbours, besides small integers of shapes.
      for (const block of blocks.slice(0, -1)) expect(block.outputs.filter(({ type }) => type === 'float32').length).toBe(1)
      const weights = blocks.flatMap(({ initializers }) => [...initializers.keys()].filter((weight) => weight.endsWith('conv1.weight') || weight.endsWith('q.weight')))
      expect(new Set(weights).size).toBe(weights.length)
    })
  }

  it('cuts between the two residual units and not inside them', async () => {
    const blocks = cutGraph(canonical(await readModel(path.join(goldens, 'resnet.onnx'))))
    const holder = (weight: string): number => blocks.findIndex(({ initializers }) => initializers.has(weight))
    expect(holder('block1.conv1.weight')).toBe(holder('block1.conv2.weight'))
    expect(holder('block2.conv1.weight')).toBe(holder('block2.down.0.weight'))
    expect(holder('block1.conv1.weight')).toBeLessThan(holder('block2.conv1.weight'))
    expect(holder('stem.weight')).toBeLessThan(holder('block1.conv1.weight'))
  })
})
