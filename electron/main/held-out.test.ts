import { mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { refuseOverlap } from './held-out.ts'

const line = (n: number): string => `Line ${String(n)} of a text that is long enough to be compared with others.`
async function text(name: string, lines: string[]): Promise<{ path: string; sha256: string }> {
  const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'text-')), name)
  await writeFile(file, lines.join('\n'))
  return { path: file, sha256: name }
}
const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => line(from + i))

test('texts without common lines pass, as do common short lines', async () => {
  await expect(refuseOverlap(await text('a', ['Yes.', ...range(0, 100)]), await text('b', ['Yes.', ...range(100, 200)]))).resolves.toBeUndefined()
})
test('the same file is refused, and so is one that shares a tenth of its lines', async () => {
  const calibration = await text('a', range(0, 100))
  await expect(refuseOverlap(calibration, calibration)).rejects.toMatchObject({ code: 'bad-data' })
  await expect(refuseOverlap(calibration, await text('b', range(90, 190)))).rejects.toThrow('10 of its 100 long lines')
})
