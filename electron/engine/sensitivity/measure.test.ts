import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { MeasureInput } from '../../contract/engine.ts'
import { silent, type Context, type JobEvent } from '../../contract/events.ts'
import { Sensitivity } from '../../contract/sensitivity.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { measure } from './measure.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const data = path.join(sample, 'calibration.txt')

/** A context that aborts at the first event `isIt` says yes to. */
function stopping(isIt: (event: JobEvent) => boolean): Context {
  const controller = new AbortController()
  return { signal: controller.signal, report: (event) => { if (isIt(event)) controller.abort() } }
}

describe('measuring by derivatives', () => {
  it('goes on after a stop in the middle of the gradients, to the same map', () => withFolder(async (folder) => {
    const input: Omit<MeasureInput, 'out'> = { model: sample, data, metric: 'fisher-rows', rounder: 'nearest', target: 'gguf', options: ['Q2_K', 'Q4_K'], samples: 2, length: 24 }
    const whole = await measure({ ...input, out: path.join(folder, 'whole.json') }, silent)
    expect(whole.loss).toBe("cross-entropy of tokens drawn from the model's own predictions")
    const out = path.join(folder, 'stopped.json')
    // Both samples are under way in one pass: of it nothing is kept but the rounded options.
    await expect(measure({ ...input, out }, stopping((event) => event.type === 'progress' && event.item.endsWith('sample 2 of 2')))).rejects.toMatchObject({ code: 'cancelled' })
    expect(await measure({ ...input, out }, silent)).toEqual(whole)
    expect(Sensitivity.parse(JSON.parse(await readFile(out, 'utf8')))).toEqual(whole)
    for (const { options } of whole.layers) {
      const { Q2_K: two, Q4_K: four } = options
      expect(two.value).toBeGreaterThan(four.value)
      expect(two.stderr).toBeGreaterThan(0)
    }
  }), 300_000)
})
