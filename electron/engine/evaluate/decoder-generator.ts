/** @file A decoder as a generator of text, or of several side by side: a cache of keys and values per block, weights held in memory where they fit. */
import type { BlockWeights } from '../calibrate/runner.ts'
import type { DecoderModel } from '../session/model.ts'
import { emptyCache, type KeyCache } from '../session/key-cache.ts'
import { openProgram, type ProgramOptions } from '../session/program.ts'
import type { Generator } from './generate.ts'

export interface GeneratorOptions extends ProgramOptions {
  /** Most bytes of dense weights kept between tokens; other blocks are read again for each. */
  readonly memoryBytes?: number
  /** Texts generated side by side, of equal lengths; one where it is missing. */
  readonly count?: number
}

/** Weights kept unless told otherwise: a model of one billion weights. */
const WEIGHT_BYTES = 4 * 2 ** 30

/** Opens a generator over a model. Of several texts, tokens are [count, time] and logits [count, vocabulary]; the next call writes over them. */
export function decoderGenerator(model: DecoderModel, { memoryBytes = WEIGHT_BYTES, count = 1, ...options }: GeneratorOptions = {}): Generator {
  const { spec } = model
  const program = openProgram(model, options)
  const caches = new Array<KeyCache>(spec.blocks).fill(emptyCache)
  const resident = new Map<number, BlockWeights>()
  let held = 0
  let past = 0
  let logits: Float32Array | undefined

  async function weightsOf(block: number): Promise<BlockWeights> {
    const known = resident.get(block)
    if (known) return known
    const read = await program.weights(block)
    const bytes = Object.values(read).reduce((sum, values) => sum + values.byteLength, 0)
    if (held + bytes <= memoryBytes) {
      held += bytes
      resident.set(block, read)
    }
    return read
  }

  /** States of the last position of every text, [count, hidden]. */
  function lastOf(hidden: Float32Array): Float32Array {
    const last = new Float32Array(count * spec.hidden)
    const length = hidden.length / count
    for (let text = 0; text < count; text++) last.set(hidden.subarray((text + 1) * length - spec.hidden, (text + 1) * length), text * spec.hidden)
    return last
  }

  return {
    vocabulary: spec.vocabulary,
    contextLength: spec.contextLength,
    async next(tokens, length) {
      let hidden = await program.embedAt(tokens, past, count)
      for (let block = 0; block < spec.blocks; block++) {
        const result = await program.runCached(block, hidden, await weightsOf(block), caches[block], { length, count })
        hidden = result.hidden
        caches[block] = result.cache
      }
      past += tokens.length / count
      logits = await program.logits(await program.finish(lastOf(hidden)), undefined, logits)
      return logits
    },
    dispose() {
      resident.clear()
      caches.fill(emptyCache)
      program.dispose()
    },
  }
}
