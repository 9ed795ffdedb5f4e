import { expect, test } from 'vitest'
import { ModelSummary } from '../../../electron/contract/engine.ts'
import { JobRecord, JobRequest } from '../../../electron/contract/job.ts'
import { Project } from '../../../electron/contract/project.ts'
import { isClear, subjectsOf, verdicts, type Subject } from './subjects.ts'

const project = Project.parse({ version: 1, id: 'p', name: 'tiny', model: '/m', openedAt: 0 })
const summary = ModelSummary.parse({
  path: 'm', name: 'm', format: 'safetensors', architecture: 'llama', parameters: 1000, sizeBytes: 2000, blocks: 1, contextLength: null, vocabulary: null, tensors: [], warnings: [], layers: [],
})
const recipe = {
  version: 1 as const, tool: 't', model: { path: 'm', sha256: 'x' }, data: null, target: 'gguf' as const, budget: { kind: 'bits' as const, value: 4 }, metric: 'kl', rounder: 'gptq' as const, choice: [],
  predicted: { sizeBytes: 1, bitsPerWeight: 4, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 },
}
const report = { sizeBytes: 500, bitsPerWeight: 4, perplexity: 66, perplexityStderr: 1, perplexityReference: 60, klMean: 0.01, klStderr: 0.001, sameTop: 0.95, tokens: 100 }
const job = (id: string, request: unknown, result: unknown, createdAt = 0): JobRecord => JobRecord.parse({
  id, project: 'p', title: `tiny-${id}`, state: 'done', request: JobRequest.parse(request), createdAt, startedAt: 0, endedAt: createdAt + 1, workedMs: 1, stage: null, done: 0, total: 0, item: '', remainingMs: null,
  reason: null, error: null, warnings: [], result,
})

test('the original comes first with the perplexity that a run measured, then baselines, then runs', () => {
  const jobs = [
    job('a', { kind: 'run', recipe, out: 'o', text: null, uniform: null }, report, 1),
    job('u', { kind: 'run', recipe, out: 'o', text: null, uniform: 'Q4_K' }, { ...report, klMean: 0.02 }, 2),
  ]
  const found = subjectsOf({ project, summary }, jobs)
  expect(found.map(({ id, name, kind }) => [id, name, kind])).toEqual([['original', 'Original', 'original'], ['u', 'all Q4_K', 'uniform'], ['a', 'a', 'run']])
  expect(found[0]).toMatchObject({ perplexity: 60, klMean: 0, bitsPerWeight: 16 })
})

test('a later evaluation of a run counts', () => {
  const jobs = [
    job('a', { kind: 'run', recipe, out: 'o', text: null, uniform: null }, report, 1),
    job('e', { kind: 'evaluate', input: { model: 'm', text: 't' }, subject: 'a' }, { ...report, perplexity: 65 }, 5),
  ]
  expect(subjectsOf({ project, summary }, jobs)[1]).toMatchObject({ perplexity: 65, measuredAt: 6 })
})

test('the newest text tells the speed, and a limit on it is at least', () => {
  const made = { text: 'x', tokens: 9, tokensPerSecond: 8, firstTokenMs: 400, tokenMs: { median: 120, p95: 180 } }
  const jobs = [
    job('a', { kind: 'run', recipe, out: 'o', text: null, uniform: null }, report, 1),
    job('g', { kind: 'generate', input: { model: 'm', prompt: 'p' }, subject: 'a' }, { ...made, tokensPerSecond: 3 }, 2),
    job('h', { kind: 'generate', input: { model: 'm', prompt: 'p' }, subject: 'a' }, made, 3),
  ]
  const [original, run] = pair(subjectsOf({ project, summary }, jobs))
  expect(run).toMatchObject({ tokensPerSecond: 8, firstTokenMs: 400, tokenMs: { median: 120, p95: 180 }, generatedAt: 4 })
  expect(original).toMatchObject({ tokensPerSecond: null, generatedAt: null })
  expect(verdicts([{ measure: 'tokensPerSecond', value: 5 }, { measure: 'tokensPerSecond', value: 10 }], run, original).map((one) => one.isMet)).toEqual([true, false])
})

function pair([first, second]: readonly Subject[]): readonly [Subject, Subject] {
  if (!first || !second) throw new Error('two subjects were expected')
  return [first, second]
}

test('limits: at most for losses, at least for agreement, open where not measured', () => {
  const [original, run] = pair(subjectsOf({ project, summary }, [job('a', { kind: 'run', recipe, out: 'o', text: null, uniform: null }, report, 1)]))
  const limits = [{ measure: 'klMean' as const, value: 0.02 }, { measure: 'sameTop' as const, value: 0.97 }, { measure: 'perplexityIncrease' as const, value: 0.05 }]
  expect(verdicts(limits, run, original).map((one) => one.isMet)).toEqual([true, false, false])
  expect(verdicts(limits, { ...run, klMean: null }, original)[0]?.isMet).toBeNull()
})

test('a difference is clear beyond twice its error', () => {
  expect([isClear(1, 0.1, 1.2, 0.1), isClear(1, 0.1, 1.3, 0.1)]).toEqual([false, true])
})

test('a graph is known by its worst output, and more signal is better', () => {
  const outputs = [{ name: 'boxes', sqnr: 31, cosine: 0.9996 }, { name: 'scores', sqnr: 18, cosine: 0.992, sameTop: 0.98, klMean: 0.004 }]
  const [original, run] = pair(subjectsOf({ project, summary }, [job('g', { kind: 'run', recipe, out: 'o', text: null, uniform: null }, { ...report, outputs, samples: 8 })]))
  expect(run).toMatchObject({ sqnr: 18, cosine: 0.992 })
  expect(verdicts([{ measure: 'sqnr', value: 20 }, { measure: 'sqnr', value: 15 }], run, original).map((one) => one.isMet)).toEqual([false, true])
})
