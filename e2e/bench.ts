/**
 * @file Runs every `*.bench.ts` of the repository, or those whose path contains a word given, and prints one JSON line a result,
 * with the machine they were measured on. A bench exports `bench(): Promise<Record<string, unknown>[]>`. Speed is measured here
 * and never asserted in a test.
 */
import { appendFileSync, globSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

interface BenchModule { readonly bench?: () => Promise<readonly Record<string, unknown>[]> }

const root = path.resolve(import.meta.dirname, '..')
const words = process.argv.slice(2)
const files = globSync(['kernels/bench/*.bench.ts', 'electron/**/*.bench.ts', 'e2e/**/*.bench.ts'], { cwd: root })
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort()

const conditions = { cpu: os.cpus()[0]?.model ?? 'unknown', cores: os.availableParallelism(), memoryBytes: os.totalmem(), node: process.version, load: os.loadavg()[0] }
process.stdout.write(`${JSON.stringify({ conditions })}\n`)

for (const file of files) {
  const module = (await import(pathToFileURL(path.join(root, file)).href)) as BenchModule
  if (!module.bench) throw new Error(`${file}: exports no bench()`)
  for (const result of await module.bench()) {
    const line = JSON.stringify({ bench: path.basename(file, '.bench.ts'), ...result })
    process.stdout.write(`${line}\n`)
    appendFileSync(path.join(root, 'bench.json'), `${line}\n`)
  }
}
