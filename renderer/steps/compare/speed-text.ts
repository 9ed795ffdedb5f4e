/** @file Which text is generated to tell a model's speed: its last one again, else a short one. Pure. */
import type { JobRecord } from '../../../electron/contract/job.ts'

export interface Wanted { readonly prompt: string; readonly tokens: number }

export const firstText: Wanted = { prompt: 'Once upon a time', tokens: 48 }

export function speedText(jobs: readonly JobRecord[], subject: string): Wanted {
  const last = jobs.findLast(({ request }) => request.kind === 'generate' && request.subject === subject)?.request
  return last?.kind === 'generate' ? { prompt: last.input.prompt, tokens: last.input.tokens } : firstText
}
