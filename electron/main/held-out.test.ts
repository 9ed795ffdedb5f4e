import { expect, test } from 'vitest'
import type { EngineHost } from './engine-host.ts'
import { refuseOverlap } from './held-out.ts'

/** An engine that has counted these rows. */
const counted = (rows: number, shared: number): Pick<EngineHost, 'call'> => ({ call: (() => Promise.resolve({ rows, shared })) as EngineHost['call'] })
const [calibration, heldOut] = [{ path: '/a', sha256: 'a' }, { path: '/b', sha256: 'b' }]

test.each([[100, 0], [100, 2], [0, 0]])('%i rows of which %i are shared pass', async (rows, shared) => {
  await expect(refuseOverlap(counted(rows, shared), calibration, heldOut)).resolves.toBeUndefined()
})
test('the same text is refused, and so is one that shares a tenth of its rows', async () => {
  await expect(refuseOverlap(counted(0, 0), calibration, { path: '/c', sha256: 'a' })).rejects.toMatchObject({ code: 'bad-data' })
  await expect(refuseOverlap(counted(100, 10), calibration, heldOut)).rejects.toThrow('10 of its 100 long rows')
})
