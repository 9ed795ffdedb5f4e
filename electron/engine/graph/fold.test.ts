import { describe, expect, it } from 'vitest'
import { float32, open } from '../autodiff/check/run.ts'
import { createBuilder } from './builder.ts'
import { fold } from './fold.ts'
import type { Builder } from './builder.ts'
import type { Graph } from './graph.ts'

const size = 40 // a matrix of 6400 bytes: more than is always kept

function graphOf(write: (b: Builder, x: string, w: string) => string): Graph {
  const b = createBuilder()
  const x = b.input('x', 'float32', [2, size])
  const w = b.initializer({ name: 'w', type: 'float32', dims: [size, size], data: new Uint8Array(Float32Array.from({ length: size * size }, (_, index) => Math.sin(index)).buffer) })
  b.output(b.one('Identity', [write(b, x, w)], {}, { outputs: ['y'] }), 'float32', null)
  return b.build('folding')
}

async function outputs(graph: Graph): Promise<readonly number[]> {
  const { run, close } = await open(graph)
  const result = await run({ x: float32([2, size], Array.from({ length: 2 * size }, (_, index) => Math.cos(index))) })
  close()
  return result.y.data
}

const transpose = (b: Builder, w: string): string => b.one('Transpose', [w], { perm: { ints: [1, 0] } })

describe('fold', () => {
  it('computes a transposed weight once and drops the original', async () => {
    const graph = graphOf((b, x, w) => b.one('MatMul', [x, transpose(b, w)]))
    const folded = await fold(graph)
    expect(folded.nodes.map(({ op }) => op)).toEqual(['MatMul', 'Identity'])
    expect([...folded.initializers.values()].map(({ dims }) => dims)).toEqual([[size, size]])
    expect(await outputs(folded)).toEqual(await outputs(graph))
  })

  it('leaves it where the original is still read: both would be held', async () => {
    const graph = graphOf((b, x, w) => b.one('MatMul', [b.one('MatMul', [x, w]), transpose(b, w)]))
    expect((await fold(graph)).nodes.map(({ op }) => op)).toContain('Transpose')
  })

  it('does not make weights larger', async () => {
    const graph = graphOf((b, x, w) => b.one('ReduceSum', [b.one('MatMul', [x, b.one('Expand', [w, b.ints([3, size, size])])]), b.ints([0])], { keepdims: { int: 0 } }))
    expect((await fold(graph)).nodes.map(({ op }) => op)).toContain('Expand')
  })

  it('computes small numbers, chains of them at once', async () => {
    const graph = graphOf((b, x) => b.one('Mul', [x, b.one('Sqrt', [b.one('Cast', [b.one('Gather', [b.one('Shape', ['w']), b.ints(1)])], { to: { int: 1 } })])]))
    const folded = await fold(graph)
    expect(folded.nodes.map(({ op }) => op)).toEqual(['Mul', 'Identity'])
    expect(await outputs(folded)).toEqual(await outputs(graph))
  })

  it('returns a graph without constant nodes as it is', async () => {
    const graph = graphOf((b, x, w) => b.one('MatMul', [x, w]))
    expect(await fold(graph)).toBe(graph)
  })
})
