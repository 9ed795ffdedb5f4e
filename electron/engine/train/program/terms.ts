/**
 * @file The terms of a loss at the logits, as graphs over rows [rows, vocabulary] of log-probabilities. Every term is a sum over the
 * rows, weighted by `NAME.weight` [rows, 1]; weights of 1 / rows make it a mean, of 0 leave a row out.
 */
import type { Builder } from '../../graph/builder.ts'
import { linear, norm, softCap, type LinearKind } from '../../graph/decoder/layers.ts'
import type { DecoderSpec } from '../../graph/decoder/spec.ts'
import type { LogitTerm } from '../objectives/objective.ts'

export interface TermInputs {
  readonly b: Builder
  readonly spec: DecoderSpec
  /** Log-probabilities of the student, [rows, vocabulary]. */
  readonly student: string
  /** How the teacher's head enters, for terms that run it. */
  readonly teacherHead: LinearKind
}

function weighted(b: Builder, rows: string, name: LogitTerm): string {
  return b.one('ReduceSum', [b.one('Mul', [rows, b.input(`${name}.weight`, 'float32', ['rows', 1])])], { keepdims: { int: 0 } })
}

/** Sum over the last axis, which is kept. */
function total(b: Builder, x: string): string {
  return b.one('ReduceSum', [x, b.ints([-1])], { keepdims: { int: 1 } })
}

/** Smallest probability that the classes outside of the teacher's top may have: below it float32 has no digits left. */
const REST_MIN = 1e-6

export const terms: Readonly<Record<LogitTerm, (inputs: TermInputs) => string>> = {
  /** −log q(label); `labels` [rows, 1]. */
  ce({ b, student }) {
    const chosen = b.one('GatherElements', [student, b.input('labels', 'int64', ['rows', 1])], { axis: { int: 1 } })
    return weighted(b, b.one('Neg', [chosen]), 'ce')
  },
  /** Σ p (log p − log q) with p from the output of the teacher's last block, `teacher` [rows, hidden], through its norm and head. */
  kl({ b, spec, student, teacherHead }) {
    const state = b.input('teacher', 'float32', ['rows', spec.hidden])
    const finished = spec.norm.final ? norm(b, spec, state, 'teacher.final_norm') : state
    const logits = softCap(b, linear(b, finished, { name: 'teacher.head', shape: ['vocabulary', spec.hidden], bias: false, kind: teacherHead }), spec.logitCap)
    const teacher = b.one('LogSoftmax', [logits], { axis: { int: -1 } })
    return weighted(b, total(b, b.one('Mul', [b.one('Exp', [teacher]), b.one('Sub', [teacher, student])])), 'kl')
  },
  /** As `kl` over `top.tokens` [rows, k] with log p in `top.log`, and one class more of log probability `top.rest` [rows, 1]. */
  'kl-top'({ b, student }) {
    const log = b.input('top.log', 'float32', ['rows', 'top'])
    const rest = b.input('top.rest', 'float32', ['rows', 1])
    const chosen = b.one('GatherElements', [student, b.input('top.tokens', 'int64', ['rows', 'top'])], { axis: { int: 1 } })
    const left = b.one('Clip', [b.one('Sub', [b.floats([1]), total(b, b.one('Exp', [chosen]))]), b.floats(REST_MIN), ''])
    const inside = total(b, b.one('Mul', [b.one('Exp', [log]), b.one('Sub', [log, chosen])]))
    const outside = b.one('Mul', [b.one('Exp', [rest]), b.one('Sub', [rest, b.one('Log', [left])])])
    return weighted(b, b.one('Add', [inside, outside]), 'kl-top')
  },
}
