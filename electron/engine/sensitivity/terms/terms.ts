/** @file The table of terms: metrics that put each sample's gradient against the errors of the options. */
import { fisherRows } from './fisher-rows.ts'
import { fisher } from './fisher.ts'
import { taylor } from './taylor.ts'
import type { Term } from './term.ts'

export const terms = { fisher, 'fisher-rows': fisherRows, taylor } as const satisfies Record<string, Term>
export type TermName = keyof typeof terms
