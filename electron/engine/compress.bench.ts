/**
 * @file Memory of a compression whatever the depth: models of TinyLlama's widths, by GPTQ, each in a process of its own. One block and
 * two unless HALFTONE_BENCH_BILLION is set: then the whole model of 1.1 billion weights, and one of twice as many blocks.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { billion } from '../../e2e/synthetic-model.ts'

/** One row a depth: peak memory of the process, measured and predicted, and the longest that the event loop did not turn. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const depths = process.env.HALFTONE_BENCH_BILLION === undefined ? [1, 2] : [billion.blocks, 2 * billion.blocks]
  const rows: Record<string, unknown>[] = []
  for (const blocks of depths) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'compress-billion.ts'), String(blocks)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await once(child, 'close')
    rows.push(JSON.parse(said) as Record<string, unknown>)
  }
  return rows
}
