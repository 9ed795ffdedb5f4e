import { expect, test } from 'vitest'
import { observe } from './monitor.ts'

test('a turn that computes is seen, in time and in processor time', async () => {
  const stop = observe()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const begun = performance.now()
  let sum = 0
  while (performance.now() - begun < 60) for (let i = 0; i < 1000; i++) sum += Math.sqrt(i)
  await new Promise((resolve) => setTimeout(resolve, 20))
  const { elapsedMs, eventLoopMaxMs, eventLoopMaxCpuMs, peakMemoryBytes } = stop()
  expect(sum).toBeGreaterThan(0)
  expect(elapsedMs).toBeGreaterThanOrEqual(95)
  expect(eventLoopMaxMs).toBeGreaterThan(40)
  if (eventLoopMaxCpuMs !== undefined) {
    expect(eventLoopMaxCpuMs).toBeGreaterThan(0)
    expect(eventLoopMaxCpuMs).toBeLessThanOrEqual(elapsedMs)
  }
  expect(peakMemoryBytes).toBeGreaterThan(1 << 20)
})
