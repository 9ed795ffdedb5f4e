import { expect, test } from 'vitest'
import { commands, type CommandFields } from '../../electron/contract/commands.ts'
import { commandOf, type Press } from './shortcuts.ts'

const press = (key: string, more: Partial<Press> = {}): Press => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more })

test.each([
  [press('k', { ctrlKey: true }), false, 'palette.open'],
  [press('k', { metaKey: true }), true, 'palette.open'],
  [press('k', { ctrlKey: true }), true, undefined],
  [press('k'), false, undefined],
  [press('Z', { ctrlKey: true, shiftKey: true }), false, 'plan.redo'],
  [press('3', { ctrlKey: true }), false, 'go.sensitivity'],
  [press('Enter', { ctrlKey: true }), false, 'step.primary'],
  [press('F6'), false, 'region.next'],
  [press('k', { ctrlKey: true, altKey: true }), false, undefined],
])('%o on mac %s is %s', (given, isMac, command) => {
  expect(commandOf(given, isMac, false)).toBe(command)
})

test('a text field keeps its own undo', () => {
  expect(commandOf(press('z', { ctrlKey: true }), false, true)).toBeUndefined()
  expect(commandOf(press('k', { ctrlKey: true }), false, true)).toBe('palette.open')
})

test('no two commands share a shortcut', () => {
  const all = Object.values<CommandFields>(commands).flatMap(({ shortcut }) => shortcut ?? [])
  expect(new Set(all).size).toBe(all.length)
})
