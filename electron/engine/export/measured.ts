/**
 * @file The measured numbers inside an exported file. They are known only once it was opened again and evaluated, so the export
 * leaves a blank of fixed length, and the numbers are written over it in place: size and offsets stay as they were. Numbers have
 * five digits: what the machine's order of summation may change is beyond them.
 */
import { open } from 'node:fs/promises'
import path from 'node:path'
import { assert } from '../../contract/errors.ts'
import type { Evaluation } from '../../contract/report.ts'
import { hashList, sha256File } from '../io/hash.ts'
import { fileProblem } from '../io/problems.ts'
import type { Exported } from './exporter.ts'

/** Key of the numbers in a file's metadata. */
export const measuredKey = 'halftone.measured'

const slotBytes = 256
const digits = 5
/** How much of a file is searched for the blank at once; it is among the first metadata or in a small file. */
const searchBytes = 1 << 20

const fill = (text: string): string => text.padEnd(slotBytes)

/** What stands in a file that was not evaluated: JSON, filled up with spaces. */
export const blankMeasured = fill('{"evaluated":false,"by":"halftone"}')

const rounded = (value: number): number => Number(value.toPrecision(digits))

/** Of a graph the worst of its outputs stands for all of them. */
function measures({ perplexity, perplexityReference, klMean, klStderr, kl99, sameTop, outputs }: Evaluation): Readonly<Record<string, number | undefined>> {
  if (outputs === undefined) return { perplexity, perplexityReference, klMean, klStderr, kl99, sameTop }
  return { sqnr: Math.min(...outputs.map(({ sqnr }) => sqnr)), cosine: Math.min(...outputs.map(({ cosine }) => cosine)), klMean, sameTop }
}

/** The numbers as JSON of the blank's length. */
export function measuredText(evaluation: Evaluation): string {
  const { outputs, samples, tokens } = evaluation
  const numbers = Object.entries(measures(evaluation)).flatMap(([name, value]) => (value === undefined ? [] : [[name, rounded(value)]]))
  const counts = outputs === undefined ? { tokens } : { outputs: outputs.length, samples }
  const text = fill(JSON.stringify({ evaluated: true, ...Object.fromEntries(numbers), ...counts }))
  assert(text.length === slotBytes, 'the numbers fit the blank')
  return text
}

/** Writes the numbers over the blank of `file`. */
async function stamp(file: string, text: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const blank = Buffer.from(blankMeasured)
    const { size } = await handle.stat()
    for (let offset = 0; offset < size; offset += searchBytes) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(searchBytes + blank.length), 0, searchBytes + blank.length, offset)
      const at = buffer.subarray(0, bytesRead).indexOf(blank)
      if (at < 0) continue
      await handle.write(Buffer.from(text), 0, slotBytes, offset + at)
      await handle.sync()
      return
    }
    assert(false, `${file} has a blank for its measured numbers`)
  } finally {
    await handle.close()
  }
}

/** Puts the numbers into the exported file, or into the file `name` of an exported folder; the new hash comes back. */
export async function stampMeasured(exported: Exported, name: string, evaluation: Evaluation, signal?: AbortSignal): Promise<Exported> {
  const file = path.join(exported.path, name)
  await stamp(file, measuredText(evaluation)).catch((cause: unknown) => { throw fileProblem(file, 'writing', cause) })
  const sha256 = await sha256File(file, signal)
  if (exported.hashes === undefined) return { ...exported, sha256 }
  const hashes = new Map([...exported.hashes, [path.basename(file), sha256]])
  return { ...exported, hashes, sha256: hashList(hashes) }
}
