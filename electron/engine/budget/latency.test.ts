import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { measureLatencies, type TimedLayer } from './latency.ts'

const layers: TimedLayer[] = [
  { shape: [64, 128], options: ['int4-g32', 'F32'] },
  { shape: [64, 128], options: ['int4-g32'] },
]
const subject = { name: 'blocks.0.q', kind: 'matmul', shape: [64, 128], elements: 8192, ties: null, trace: null, options: new Map(), excluded: new Map() } as const

test('every shape and option is timed once, kept in the file, and taken from it on the same machine alone', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'times.json')
    const time = await measureLatencies(layers, { file, threads: 1 }, silent)
    expect(time(subject, 'int4-g32')).toBeGreaterThan(0)
    expect(() => time(subject, 'int8-g32')).toThrow('int8-g32 was not timed')
    const saved = JSON.parse(await readFile(file, 'utf8')) as { machine: string; times: Record<string, number> }
    expect(Object.keys(saved.times)).toEqual(['64x128 int4-g32', '64x128 F32'])
    saved.times['64x128 F32'] = 12_345
    await writeFile(file, JSON.stringify(saved))
    expect((await measureLatencies(layers, { file, threads: 1 }, silent))(subject, 'F32')).toBe(12_345)
    await writeFile(file, JSON.stringify({ ...saved, machine: 'another' }))
    expect((await measureLatencies(layers, { file, threads: 1 }, silent))(subject, 'F32')).toBeLessThan(12_345)
  })
})
