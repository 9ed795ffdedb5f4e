import { copyFile, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder } from './model.ts'
import { openProgram } from './program.ts'
import index from './goldens/index.json' with { type: 'json' }

const goldens = path.join(import.meta.dirname, 'goldens')
/** Of the largest logit: float32 here against float64 in transformers; 1.6e-6 is the worst seen. */
const TOLERANCE = 5e-6

async function readGolden(file: string): Promise<Float32Array> {
  const bytes = await readFile(file)
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Largest difference of our logits from the golden ones, relative to the largest logit. */
async function difference(model: string, golden: string): Promise<number> {
  const decoder = await openDecoder(model, silent)
  const program = openProgram(decoder, { threads: 1 })
  const expected = await readGolden(golden)
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  let worst = 0
  for (const [sequence, tokens] of index.tokens.entries()) {
    let hidden = await program.embed(Int32Array.from(tokens))
    for (let block = 0; block < program.blocks; block++) hidden = await program.run(block, hidden, await program.weights(block))
    const logits = await program.logits(await program.finish(hidden))
    expect(logits).toHaveLength(tokens.length * index.vocabulary)
    logits.forEach((value, at) => (worst = Math.max(worst, Math.abs(value - (expected[sequence * logits.length + at] ?? NaN)))))
  }
  program.dispose()
  await decoder.close()
  return worst / largest
}

describe.each(index.models)('$name', ({ name, gguf, variants }) => {
  const folder = path.join(goldens, name)
  it('gives the logits of transformers', async () => {
    expect(await difference(folder, path.join(folder, 'logits.bin'))).toBeLessThan(TOLERANCE)
  })
  it.each(gguf ? ['model.gguf'] : [])('gives the same from %s', async (file) => {
    expect(await difference(path.join(folder, file), path.join(folder, 'logits.bin'))).toBeLessThan(TOLERANCE)
  })
  it.each(variants)('variant $name', async (variant) => {
    await withFolder(async (copy) => {
      await copyFile(path.join(folder, `${variant.name}.json`), path.join(copy, 'config.json'))
      await copyFile(path.join(folder, 'model.safetensors'), path.join(copy, 'model.safetensors'))
      expect(await difference(copy, path.join(folder, `${variant.name}.bin`))).toBeLessThan(TOLERANCE)
    })
  })
  it.each(variants.filter((variant) => variant.gguf))('variant $name from a GGUF file', async (variant) => {
    expect(await difference(path.join(folder, `${variant.name}.gguf`), path.join(folder, `${variant.name}.bin`))).toBeLessThan(TOLERANCE)
  })
})
