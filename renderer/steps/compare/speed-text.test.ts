import { expect, test } from 'vitest'
import { JobRecord, JobRequest } from '../../../electron/contract/job.ts'
import { firstText, speedText } from './speed-text.ts'

const generated = (subject: string, prompt: string): JobRecord => JobRecord.parse({
  id: prompt, project: 'p', title: 't', state: 'done', request: JobRequest.parse({ kind: 'generate', subject, input: { model: 'm', prompt, tokens: 12 } }), createdAt: 0, startedAt: 0, endedAt: 1, workedMs: 1, stage: null, done: 0, total: 0,
  item: '', remainingMs: null, reason: null, error: null, warnings: [], result: null,
})

test('speed is told by a model’s own last text, so that the texts beside each other stay of one prompt', () => {
  const jobs = [generated('a', 'first'), generated('a', 'second'), generated('b', 'other')]
  expect(speedText(jobs, 'a')).toEqual({ prompt: 'second', tokens: 12 })
  expect(speedText(jobs, 'original')).toEqual(firstText)
})
