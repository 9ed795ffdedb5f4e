import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent } from '../../../contract/events.ts'
import { openPark } from '../../session/park.ts'
import { openGoldens, type Goldens } from '../goldens/goldens.ts'
import { objectiveNames } from '../../../contract/training.ts'
import { objectives } from '../objectives/objectives.ts'
import { targetKind } from '../objectives/objective.ts'
import { openTargetStore, type TargetStore } from '../targets/store.ts'
import { makeTargets } from '../targets/teacher.ts'
import { openState, refreshState, type TrainingState } from '../trainables/state.ts'
import { batchOf, type Batch, type TrainingWindow } from '../window.ts'
import { totalsOf } from './loss-rows.ts'
import { evaluatePass, trainPass, type Losses } from './pass.ts'
import { openTrainingProgram, type TrainingProgram } from './program.ts'
import { openTeacherHead } from './teacher-head.ts'

/** float32 against float64, through two blocks and a softmax; measured 2e-6. */
const TOLERANCE = 2e-5
const SLOT_BYTES = 1 << 20

const inMemory = (windows: number) => openPark({ windows, slotBytes: SLOT_BYTES, memoryBytes: Infinity })

describe('a training step', () => {
  let goldens: Goldens
  let folder: string
  let store: TargetStore

  beforeAll(async () => {
    goldens = await openGoldens()
    folder = await mkdtemp(path.join(tmpdir(), 'halftone-pass-'))
    store = await openTargetStore({ folder, limitBytes: 1e9, hidden: goldens.model.spec.hidden, top: goldens.index.top })
    for (const kind of ['blocks', 'top'] as const) await makeTargets({ teacher: goldens.model, store, kind, top: goldens.index.top, park: inMemory }, goldens.windows, silent)
  })
  afterAll(async () => {
    await goldens.model.close()
    await rm(folder, { recursive: true })
  })

  /** The student of the goldens, its factors among the trainables. */
  async function openStudent(): Promise<TrainingState> {
    const state = await openState(goldens.base, { adapter: goldens.adapter, sets: ['adapters', 'scales', 'norms'] }, silent.signal)
    for (const { name, set, values } of state.trainables) {
      if (set === 'scales') values.set(goldens.float(`${name.replace(/scales$/, '')}factors`).map((factor) => factor - 1))
    }
    await refreshState(state)
    return state
  }

  async function open(name: (typeof objectiveNames)[number], state: TrainingState): Promise<TrainingProgram> {
    const { head } = state
    if (head === null) throw new Error('no head')
    return openTrainingProgram(state, { objective: objectives[name]({}), teacherHead: await openTeacherHead(goldens.model, goldens.base, head), threads: 1, signal: silent.signal })
  }

  /** Runs batches of the windows named, one pass each, as micro-batches of one step. */
  async function step(name: (typeof objectiveNames)[number], program: TrainingProgram, groups: readonly (readonly number[])[], onDisk = false): Promise<Losses[]> {
    const windows = groups.map((group) => group.flatMap((at) => goldens.windows[at] ?? []))
    const batches: Batch[] = windows.map((group) => batchOf(group))
    const park = openPark({ windows: 2, slotBytes: SLOT_BYTES, memoryBytes: onDisk ? 0 : Infinity, folder })
    const losses: Losses[] = []
    for (const [at, batch] of batches.entries()) {
      losses.push(await trainPass({ program, objective: objectives[name]({}), batch, windows: windows[at] ?? [], targets: store, totals: totalsOf(batches) }, park))
    }
    await park.dispose()
    return losses
  }

  function worst(state: TrainingState, name: string): number {
    return Math.max(...state.trainables.map((trainable) => {
      const expected = goldens.float(`${name}/${trainable.name}`)
      expect(trainable.gradient).toHaveLength(expected.length)
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
      return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (trainable.gradient[at] ?? NaN))), 0) / largest
    }))
  }

  it.each(objectiveNames)('has the loss and the gradients of PyTorch with %s', async (name) => {
    const state = await openStudent()
    const program = await open(name, state)
    const [losses] = await step(name, program, [[0, 1]])
    program.dispose()
    const expected = goldens.index.objectives[name]
    expect(losses?.loss).toBeCloseTo(expected?.loss ?? NaN, 4)
    for (const [term, value] of Object.entries(expected?.terms ?? {})) {
      if (term === 'last' || term === 'blocks') continue
      expect(Object.entries(losses?.terms ?? {}).find(([found]) => found === term)?.[1]).toBeCloseTo(value, 4)
    }
    expect(state.trainables).toHaveLength(2 * 7 * 3 + 2 * 2 + 1)
    expect(worst(state, name)).toBeLessThan(TOLERANCE)
  })

  it('is the same in micro-batches, padded or not, and with states parked on disk', async () => {
    const state = await openStudent()
    const program = await open('lrec', state)
    const losses = await step('lrec', program, [[1], [0]], true)
    program.dispose()
    expect(losses.reduce((sum, { loss }) => sum + loss, 0)).toBeCloseTo(goldens.index.objectives.lrec?.loss ?? NaN, 4)
    expect(worst(state, 'lrec')).toBeLessThan(TOLERANCE)
  })

  it('learns from written windows what the teacher says, and from the others what they say too', async () => {
    const state = await openStudent()
    const program = await open('lrec', state)
    const evaluate = async (windows: readonly TrainingWindow[]): Promise<Losses['terms']> => {
      const batch = batchOf(windows)
      return (await evaluatePass({ program, objective: objectives.lrec({}), batch, windows, targets: store, totals: totalsOf([batch]) })).terms
    }
    const mixed = await evaluate(goldens.windows.map((window, at) => ({ ...window, isWritten: at === 0 })))
    const second = await evaluate(goldens.windows.slice(1))
    const written = await evaluate(goldens.windows.map((window) => ({ ...window, isWritten: true })))
    program.dispose()
    for (const { kl } of [mixed, written]) expect(kl).toBeCloseTo(goldens.index.objectives.lrec?.terms.kl ?? NaN, 4)
    expect(second.ce).toBeGreaterThan(1)
    expect(mixed.ce).toBeCloseTo(second.ce ?? NaN, 4)
    expect(written.ce).toBe(0)
  })

  it('is evaluated to the same losses without gradients', async () => {
    const state = await openStudent()
    const program = await open('rilq', state)
    const batch = batchOf(goldens.windows)
    const losses = await evaluatePass({ program, objective: objectives.rilq({}), batch, windows: goldens.windows, targets: store, totals: totalsOf([batch]) })
    program.dispose()
    expect(losses.loss).toBeCloseTo(goldens.index.objectives.rilq?.loss ?? NaN, 4)
    expect(state.trainables.every(({ gradient }) => gradient.every((value) => value === 0))).toBe(true)
  })

  it('needs of the teacher what its objective says', () => {
    expect(objectiveNames.map((name) => targetKind(objectives[name]({}), 2))).toEqual(['last', 'last', 'blocks', null, 'top'])
  })
})
