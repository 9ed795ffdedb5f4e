/** @file KL of a decoder with some of its layers replaced against the decoder itself, mean over the tokens of a few windows. */
import type { BlockRunner, BlockWeights } from '../calibrate/runner.ts'
import type { BlockLayer } from '../model.ts'
import { divergences, logitsOf, meanOf, type Divergence } from './streams.ts'

export interface Reference {
  /** Divergence with the named layers replaced by these weights, [out, in]. */
  divergence(replaced: ReadonlyMap<string, Float32Array>, signal: AbortSignal): Promise<Divergence>
}

/** Runs the model itself once, and keeps the hidden states before every block: only for few windows. */
export async function openReference(runner: BlockRunner, windows: readonly Int32Array[], signal: AbortSignal): Promise<Reference> {
  const clean: Float32Array[][] = []
  for (const window of windows) {
    const states = [await runner.embed(window)]
    for (let block = 0; block < runner.blocks; block++) {
      signal.throwIfAborted()
      states.push(await runner.run(block, states[block], await runner.weights(block)))
    }
    clean.push(states)
  }
  return {
    async divergence(replaced, stop) {
      const parts: Float64Array[] = []
      const table = replaced.get('embedding')
      const head = replaced.get('head') ?? (table && runner.isTied === true ? table : undefined)
      const touched = Array.from({ length: runner.blocks }, (_, block) => [...replaced.keys()].filter((name) => name.startsWith(`blocks.${block}.`)))
      const first = table === undefined ? touched.findIndex((names) => names.length > 0) : 0
      for (const [index, window] of windows.entries()) {
        const start = first < 0 ? runner.blocks : first
        let hidden = table === undefined ? clean[index][start] : await runner.embed(window, table)
        for (let block = start; block < runner.blocks; block++) {
          stop.throwIfAborted()
          const own = Object.fromEntries(touched[block].map((name) => [name.slice(name.lastIndexOf('.') + 1) as BlockLayer, replaced.get(name)]))
          hidden = await runner.run(block, hidden, { ...(await runner.weights(block)), ...own } satisfies BlockWeights)
        }
        parts.push(await divergences(await logitsOf(runner, clean[index][runner.blocks]), await logitsOf(runner, hidden, head), runner.vocabulary))
      }
      return meanOf(Float64Array.from(parts.flatMap((part) => [...part])))
    },
  }
}
