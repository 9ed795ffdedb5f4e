/**
 * @file The loss at the logits for some rows of the last block's output, and its gradient there: final norm, head, log-softmax,
 * terms. It is run over a few hundred positions at a time, so that logits of a whole batch never exist.
 */
import { vjp } from '../../autodiff/vjp.ts'
import { createBuilder } from '../../graph/builder.ts'
import { linear, norm, softCap, type LinearKind } from '../../graph/decoder/layers.ts'
import type { DecoderSpec } from '../../graph/decoder/spec.ts'
import type { Graph } from '../../graph/graph.ts'
import { logitTerms, type LogitTerm, type Objective } from '../objectives/objective.ts'
import { terms } from './terms.ts'

export interface LossGraphOptions {
  readonly objective: Objective
  readonly head: LinearKind
  readonly teacherHead: LinearKind
  /** Inputs besides `hidden` whose gradients are wanted (the final norm's); null for the loss alone. */
  readonly wrt: readonly string[] | null
}

/** The terms of an objective in a fixed order, with their weights. */
export function termsOf({ logits }: Objective): readonly (readonly [LogitTerm, number])[] {
  return logitTerms.flatMap((name) => (logits[name] === undefined ? [] : [[name, logits[name]] as const]))
}

/** Outputs: every term by name, weighted by rows but not by the objective; and `grad:hidden` and `grad:NAME` of the weighted sum. */
export function lossGraph(spec: DecoderSpec, { objective, head, teacherHead, wrt }: LossGraphOptions): Graph {
  const b = createBuilder()
  const hidden = b.input('hidden', 'float32', ['rows', spec.hidden])
  const finished = spec.norm.final ? norm(b, spec, hidden, 'final_norm') : hidden
  const logits = softCap(b, linear(b, finished, { name: 'head', shape: ['vocabulary', spec.hidden], bias: false, kind: head }), spec.logitCap)
  const student = b.one('LogSoftmax', [logits], { axis: { int: -1 } })
  const wanted = termsOf(objective)
  const values = wanted.map(([name, weight]) => {
    const value = b.one('Identity', [terms[name]({ b, spec, student, teacherHead })], {}, { outputs: [name] })
    b.output(value, 'float32', [])
    return b.one('Mul', [value, b.floats(weight)])
  })
  const loss = b.one('Sum', values, {}, { outputs: ['loss'] })
  const graph = b.build('loss')
  if (wrt === null) return graph
  const names = wanted.map(([name]) => name)
  return vjp({ ...graph, outputs: [...graph.outputs, { name: loss, type: 'float32', shape: [] }] }, { of: ['loss'], wrt: ['hidden', ...wrt], seed: 'ones', keep: names })
}
