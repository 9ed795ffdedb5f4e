/** @file Times measured on this machine, kept in a file and used again on the same machine; and how one is taken. */
import os from 'node:os'
import { z } from 'zod'
import { runtime } from '../../../kernels/runtime.ts'
import type { NativeSession, Tensor } from '../../../kernels/kernels.ts'
import { readJsonIfPresent } from '../io/json.ts'
import { writeWhole } from '../io/write-file.ts'

const samples = 7
/** Runs of something small are repeated until a sample takes this long, so that the clock's grain does not matter. */
const sampleMs = 2

const Table = z.object({ machine: z.string(), times: z.record(z.string(), z.number().positive()) })

export interface Times {
  /** Milliseconds of a key, taken now where they are not known. */
  of: (key: string, take: () => Promise<number>) => Promise<number>
  /** Keeps what was taken. */
  save: () => Promise<void>
}

/** The table in `file`, or an empty one: for another machine, other threads or another runtime. */
export async function openTimes(file: string | undefined, threads: number): Promise<Times> {
  const machine = `${os.cpus()[0]?.model ?? os.arch()} x ${threads}, ONNX Runtime ${runtime().version}`
  const saved = Table.safeParse(file === undefined ? null : await readJsonIfPresent(file))
  const times = new Map(saved.success && saved.data.machine === machine ? Object.entries(saved.data.times) : [])
  const known = times.size
  return {
    async of(key, take) {
      const time = times.get(key) ?? await take()
      times.set(key, time)
      return time
    },
    async save() {
      if (file !== undefined && times.size > known) await writeWhole(file, [Buffer.from(`${JSON.stringify({ machine, times: Object.fromEntries(times) }, null, 1)}\n`)], { overwrite: true })
    },
  }
}

/** Milliseconds of one run of a session, the least of several. */
export async function runMs(session: NativeSession, feeds: Readonly<Record<string, Tensor>>, signal: AbortSignal): Promise<number> {
  let out: Record<string, Tensor | null> = Object.fromEntries(session.outputNames.map((name) => [name, null]))
  const sample = async (count: number): Promise<number> => {
    const begun = performance.now()
    for (let run = 0; run < count; run++) out = await session.run(feeds, out, signal)
    return (performance.now() - begun) / count
  }
  const repeats = Math.max(1, Math.ceil(sampleMs / (await sample(2))))
  let least = Infinity
  for (let run = 0; run < samples; run++) least = Math.min(least, await sample(repeats))
  return least
}
