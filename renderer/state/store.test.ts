import { beforeEach, expect, test } from 'vitest'
import type { OpenProject, Sequenced, Snapshot } from '../../electron/contract/api.ts'
import { ModelSummary } from '../../electron/contract/engine.ts'
import { Project, type Draft } from '../../electron/contract/project.ts'
import { Settings } from '../../electron/contract/settings.ts'
import { mirrorEvent, mirrorSnapshot, useApp } from './store.ts'

const summary = ModelSummary.parse({
  path: 'm', name: 'm', format: 'gguf', architecture: 'llama', parameters: 1, sizeBytes: 2, blocks: 1, contextLength: null, vocabulary: null, tensors: [], warnings: [], layers: [],
})
const open = (id: string, draft: Partial<Draft> = {}): OpenProject => ({ project: Project.parse({ version: 1, id, name: id, model: 'm', openedAt: 0, step: 'data', draft }), summary, preview: null, sensitivity: null })
const snapshot: Snapshot = {
  seq: 4, version: '1', platform: 'linux', machine: { memoryBytes: 1, cores: 1 }, settings: Settings.parse({}), outputFolder: '/out', open: open('a'), recent: [], jobs: [], engine: 'ready',
}
const project = (seq: number, next: OpenProject | null): Sequenced => ({ seq, type: 'project', open: next })

beforeEach(() => {
  useApp.setState(useApp.getInitialState(), true)
  mirrorSnapshot(snapshot)
})

test('the page goes on at the step the project was left at', () => {
  expect(useApp.getState()).toMatchObject({ seq: 4, route: 'data' })
})

test('events count on; an older one changes nothing, a gap asks for a new snapshot', () => {
  expect(mirrorEvent(project(5, open('a', { target: 'onnx' })))).toBe(true)
  expect(mirrorEvent(project(5, null))).toBe(true)
  expect(useApp.getState().open?.project.draft.target).toBe('onnx')
  expect(mirrorEvent(project(7, null))).toBe(false)
  expect(useApp.getState().open).not.toBeNull()
})

test('a draft that main has not seen yet is not taken back by an older one', () => {
  useApp.setState({ open: open('a', { budget: { kind: 'bits', value: 3 } }), unconfirmed: 1 })
  mirrorEvent(project(5, open('a', { budget: { kind: 'bits', value: 4 } })))
  expect(useApp.getState().open?.project.draft.budget.value).toBe(3)
  useApp.setState({ unconfirmed: 0 })
  mirrorEvent(project(6, open('a', { budget: { kind: 'bits', value: 4 } })))
  expect(useApp.getState().open?.project.draft.budget.value).toBe(4)
})

test('two choices made before main answers are both kept', () => {
  const measured = open('a')
  const chosen = { ...measured, project: { ...measured.project, measure: { ...measured.project.measure, metric: 'imatrix', samples: 4 }, limits: [] } }
  useApp.setState({ open: chosen, unconfirmed: 2 })
  mirrorEvent(project(5, { ...measured, project: { ...measured.project, measure: { ...measured.project.measure, metric: 'imatrix' } } }))
  expect(useApp.getState().open?.project).toMatchObject({ measure: { metric: 'imatrix', samples: 4 }, limits: [] })
})

test('another project begins without the plan and the selection of the one before', () => {
  useApp.setState({ selected: 'x', changed: ['y'], unconfirmed: 2 })
  mirrorEvent(project(5, open('b')))
  expect(useApp.getState()).toMatchObject({ selected: null, changed: [], unconfirmed: 0, plan: null })
})
