import path from 'node:path'
import { expect, test } from 'vitest'
import { silent, type JobEvent } from '../../../contract/events.ts'
import { withFolder } from '../../io/temporary-folder.ts'
import { openDecoder } from '../../session/model.ts'
import { openPark } from '../../session/park.ts'
import { golden } from '../testing.ts'
import { openTargetStore } from './store.ts'
import { makeTargets } from './teacher.ts'

const windows = [3, 7, 11, 15, 19].map((first) => ({ tokens: Int32Array.from({ length: 6 }, (_, at) => first * at % 96) }))

test('windows go through the teacher in groups, to the same targets', () => withFolder(async (folder) => {
  const teacher = await openDecoder(golden, silent)
  const targetsOf = async (name: string, stateBytes: number | undefined) => {
    const store = await openTargetStore({ folder: path.join(folder, name), limitBytes: 1e9, hidden: teacher.spec.hidden, top: 4 })
    const opened: number[] = []
    const events: JobEvent[] = []
    const park = (count: number) => {
      opened.push(count)
      return openPark({ windows: count, slotBytes: 1 << 12, memoryBytes: Infinity })
    }
    await makeTargets({ teacher, store, kind: 'last', top: 4, park, threads: 1, ...(stateBytes !== undefined && { stateBytes }) }, windows, { ...silent, report: (event) => events.push(event) })
    const states = await Promise.all(windows.map(async (window) => [...await store.state(window, teacher.spec.blocks - 1)]))
    return { states, opened, last: events.findLast((event) => event.type === 'progress') }
  }
  const whole = await targetsOf('whole', undefined)
  const parts = await targetsOf('parts', 2 * 6 * teacher.spec.hidden * 4)
  expect(whole.opened).toEqual([5])
  expect(parts.opened).toEqual([2, 2, 1])
  expect(parts.states).toEqual(whole.states)
  for (const { last } of [whole, parts]) expect(last).toMatchObject({ done: 10, total: 10 })
  await teacher.close()
}))
