import { expect, test } from 'vitest'
import { ProjectPatch } from '../contract/project.ts'
import { SettingsPatch } from '../contract/settings.ts'
import { patched } from './patched.ts'

test('given fields are replaced, undefined ones stay, null counts as given', () => {
  expect(patched<{ a: number; b: string | null; c: number }>({ a: 1, b: 'x', c: 3 }, { a: undefined, b: null })).toEqual({ a: 1, b: null, c: 3 })
})

test('a patch changes only what it names: no default fills in the rest', () => {
  expect(SettingsPatch.parse({ theme: 'dark' })).toEqual({ theme: 'dark' })
  expect(ProjectPatch.parse({ step: 'run' })).toEqual({ step: 'run' })
})
