/** @file `--self-test`: proves that a packaged app finds its engine, kernels, runtime and sample; prints JSON and exits 0 or 1. */
import { errorFields } from '../contract/errors.ts'
import type { EngineHost } from './engine-host.ts'

export async function selfTest(engine: EngineHost, sample: string, print: (line: string) => void): Promise<number> {
  try {
    const { layers, parameters } = await engine.call('inspect', { model: sample })
    const { tokens } = await engine.call('generate', { model: sample, prompt: 'The', tokens: 4 })
    print(JSON.stringify({ ok: true, layers: layers.length, parameters, tokens }))
    return 0
  } catch (cause) {
    print(JSON.stringify({ ok: false, error: errorFields(cause) }))
    return 1
  }
}
