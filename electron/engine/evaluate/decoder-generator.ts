/** @file A decoder as a generator of text: a cache of keys and values per block, weights held in memory where they fit. */
import type { BlockWeights } from '../calibrate/runner.ts'
import type { DecoderModel } from '../session/model.ts'
import { openProgram, type BlockCache, type ProgramOptions } from '../session/program.ts'
import type { Generator } from './generate.ts'

export interface GeneratorOptions extends ProgramOptions {
  /** Most bytes of dense weights kept between tokens; other blocks are read again for each. */
  readonly memoryBytes?: number
}

/** Weights kept unless told otherwise: a model of one billion weights. */
const WEIGHT_BYTES = 4 * 2 ** 30

/** Opens a generator over a model. */
export function decoderGenerator(model: DecoderModel, { memoryBytes = WEIGHT_BYTES, ...options }: GeneratorOptions = {}): Generator {
  const { spec } = model
  const program = openProgram(model, options)
  const caches: (BlockCache | null)[] = Array.from({ length: spec.blocks }, () => null)
  const resident = new Map<number, BlockWeights>()
  let held = 0
  let past = 0

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

  return {
    vocabulary: spec.vocabulary,
    contextLength: spec.contextLength,
    async next(tokens, length) {
      let hidden = await program.embedAt(tokens, past)
      for (let block = 0; block < spec.blocks; block++) {
        const result = await program.runCached(block, hidden, await weightsOf(block), caches[block], length)
        hidden = result.hidden
        caches[block] = result.cache
      }
      past += tokens.length
      return program.logits(await program.finish(hidden.slice(-spec.hidden)))
    },
    dispose() {
      resident.clear()
      caches.fill(null)
      program.dispose()
    },
  }
}
