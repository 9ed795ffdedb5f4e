import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { expect, it } from 'vitest'
import { kernels } from '../kernels.ts'

/** Priorities of this process's threads by their ids, where the system tells: as `nice` counts, higher is lower. */
function niceness(): Map<string, number> {
  if (process.platform !== 'linux') return new Map()
  return new Map(readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    return [thread, Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])] // the 19th field; the name may hold spaces
  }))
}

it('computes on threads that step back for the one that asked', async () => {
  const own = os.getPriority()
  const side = 256
  const a = new Float32Array(side * side).fill(1)
  const c = new Float32Array(side * side)
  for (let run = 0; run < 3; run++) await kernels().matmul(a, a, side, side, side, false, false, c)
  expect(c[0]).toBe(side)
  expect(os.getPriority()).toBe(own)
  const threads = niceness()
  expect(threads.get(String(process.pid)) ?? own).toBe(own)
  expect([...threads.values()].filter((nice) => nice === Math.min(19, own + 5)).length > 0).toBe(process.platform === 'linux')
  // Once and for good: no thread goes on stepping back with every call.
  expect(Math.max(own, ...threads.values())).toBeLessThanOrEqual(own + 5)
})
