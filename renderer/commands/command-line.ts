/** @file What the command line would do for each step: the same engine, the same words. Pure. */
import { measuredWith } from '../../electron/contract/measured-with.ts'
import type { Project, Step } from '../../electron/contract/project.ts'
import type { Budget } from '../../electron/contract/recipe.ts'

/** A word as a POSIX shell or PowerShell reads it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

export function budgetText(budget: Budget): string {
  switch (budget.kind) {
    case 'bits': return `${String(budget.value)}bpw`
    case 'bytes': return `${String(budget.value)}B`
    case 'ratio': return `${String(Math.round(budget.value * 10_000) / 100)}%`
    default: return budget satisfies never
  }
}

function join(...words: (readonly string[] | string)[]): string {
  return ['halftone', ...words.flat()].map(quote).join(' ')
}

/** The line for one step; undefined where it needs something that is not chosen yet. */
export function commandLine(step: Step, project: Project, output?: string): string | undefined {
  const { model, data, withoutData, draft } = project
  const measure = measuredWith(project)
  const plan = ['--target', draft.target, '--budget', budgetText(draft.budget)]
  const pins = Object.entries(draft.pins).flatMap(([layer, option]) => ['--pin', `${layer}=${option}`])
  const corrected = measure.correction === 'none' ? [] : ['--correct', measure.correction]
  const correct = draft.correction === 'none' ? [] : ['--correct', draft.correction]
  const { image } = measure
  const pictures = [...(image?.size ? ['--image-size', image.size.join('x')] : []), ...(image?.mean ? ['--mean', image.mean.join()] : []), ...(image?.std ? ['--std', image.std.join()] : [])]
  const measured = ['--metric', measure.metric, '--rounder', measure.rounder, '--samples', String(measure.samples), '--length', String(measure.length), ...pictures]
  switch (step) {
    case 'model': return join('inspect', model)
    case 'data': case 'sensitivity': return data || withoutData ? join('measure', model, data ? ['--data', data.path] : [], ['--target', draft.target], measured, data ? corrected : [], '--out', 'sensitivity.json') : undefined
    case 'budget': return join('plan', model, '--measured', 'sensitivity.json', plan, correct, pins, '--out', 'recipe.json')
    case 'run': case 'export': {
      if (!data) return withoutData ? join('run', 'recipe.json', '--out', output ?? 'out') : undefined
      const text = data.heldOut ? ['--text', data.heldOut.path] : []
      return join('compress', model, '--data', data.path, plan, measured, correct, pins, text, '--out', output ?? 'out')
    }
    case 'compare': {
      const text = data?.heldOut?.path ?? data?.path
      return text === undefined ? undefined : join('evaluate', output ?? 'out', '--reference', model, '--text', text, pictures, '--json')
    }
    default: return step satisfies never
  }
}
