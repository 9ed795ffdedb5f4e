import { expect, test } from 'vitest'
import { Project } from '../../electron/contract/project.ts'
import { budgetText, commandLine, quote } from './command-line.ts'

const project = Project.parse({
  version: 1, id: 'p', name: 'tiny', model: '/models/my model', openedAt: 0, data: { path: '/data/text.txt', name: 'text.txt', sha256: 'x', heldOut: null },
  draft: { target: 'gguf', budget: { kind: 'bits', value: 2.8 }, pins: { 'blocks.0.down': 'Q6_K' } },
})

test('each step has its line, with paths a shell reads', () => {
  expect(commandLine('model', project)).toBe("halftone inspect '/models/my model'")
  expect(commandLine('budget', project)).toBe("halftone plan '/models/my model' --measured sensitivity.json --target gguf --budget 2.8bpw --pin blocks.0.down=Q6_K --out recipe.json")
  expect(commandLine('compare', project, '/out/x.gguf')).toBe("halftone evaluate /out/x.gguf --reference '/models/my model' --text /data/text.txt --json")
})

test('a correction is planned and fitted, and the rounding is told by its name', () => {
  const corrected = { ...project, draft: { ...project.draft, correction: 'eora' as const } }
  expect(commandLine('budget', corrected)).toContain(' --budget 2.8bpw --correct eora --pin ')
  expect(commandLine('run', corrected)).toContain(' --metric kl-scaled --rounder guided --samples 48 --length 512 --correct eora ')
})

test('without data only the weights are measured, and the recipe is run', () => {
  const without = { ...project, data: null, withoutData: true }
  expect(commandLine('sensitivity', without)).toBe("halftone measure '/models/my model' --target gguf --metric sqnr --rounder search --samples 48 --length 512 --out sensitivity.json")
  expect(commandLine('run', without)).toBe('halftone run recipe.json --out out')
})

test('how pictures become inputs is said wherever they are read', () => {
  const pictures = { ...project, measure: { ...project.measure, image: { size: [48, 192] as [number, number], mean: [0.5, 0.4, 0.3], std: [0.25] } } }
  for (const step of ['sensitivity', 'run', 'compare'] as const) expect(commandLine(step, pictures)).toContain(' --image-size 48x192 --mean 0.5,0.4,0.3 --std 0.25')
})

test('a step that lacks its data has none', () => {
  expect(commandLine('sensitivity', { ...project, data: null })).toBeUndefined()
})

test('budgets and quotes', () => {
  expect([budgetText({ kind: 'bytes', value: 2733344 }), budgetText({ kind: 'ratio', value: 0.5 })]).toEqual(['2733344B', '50%'])
  expect(quote("it's")).toBe("'it'\\''s'")
})
