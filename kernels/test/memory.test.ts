import { expect, it } from 'vitest'
import { kernels } from '../kernels.ts'

it('gives the memory of arrays back at once', async () => {
  const large = new Float64Array(1 << 24).fill(1) // 128 MiB, all of it touched
  const held = process.memoryUsage.rss()
  await kernels().release([large])
  expect(held - process.memoryUsage.rss()).toBeGreaterThan(100 << 20)
})

it('leaves the arrays empty, and the views of their buffers; twice is once', async () => {
  const buffer = new ArrayBuffer(64)
  const [first, view, other, none] = [new Float32Array(buffer, 0, 8), new Uint8Array(buffer, 32), Float64Array.of(1, 2), new Uint8Array(0)]
  await kernels().release([first, view, other, none])
  expect([first.length, view.length, other.length, buffer.byteLength]).toEqual([0, 0, 0, 0])
  await kernels().release([first])
})

it('refuses what is no typed array', () => {
  // @ts-expect-error: a plain array has no memory of its own
  expect(() => kernels().release([[1, 2]])).toThrow('expected typed arrays')
})
