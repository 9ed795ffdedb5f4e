/** @file The graph after the blocks: final norm, then logits against the head's rows (all of the vocabulary, or a slice of it). */
import { createBuilder } from '../builder.ts'
import type { Graph } from '../graph.ts'
import { linear, norm, softCap, type LinearKind } from './layers.ts'
import type { DecoderSpec } from './spec.ts'

export interface HeadOptions {
  /** Only the final norm (`hidden` → `normed`), only the logits (`hidden`, already normed → `logits`), or both. */
  readonly part?: 'norm' | 'logits' | 'both'
  readonly kind?: LinearKind
}

/** Builds the head graph: hidden [rows, hidden], head [vocabulary, hidden], norm weights → logits [rows, vocabulary]. */
export function headGraph(spec: DecoderSpec, { part = 'both', kind }: HeadOptions = {}): Graph {
  const b = createBuilder()
  const hidden = b.input('hidden', 'float32', ['rows', spec.hidden])
  const x = spec.norm.final && part !== 'logits' ? norm(b, spec, hidden, 'final_norm') : hidden
  if (part === 'norm') {
    b.output(b.one('Identity', [x], {}, { outputs: ['normed'] }), 'float32', ['rows', spec.hidden])
    return b.build('norm')
  }
  const logits = softCap(b, linear(b, x, { name: 'head', shape: ['vocabulary', spec.hidden], bias: false, kind }), spec.logitCap)
  b.output(b.one('Identity', [logits], {}, { outputs: ['logits'] }), 'float32', ['rows', 'vocabulary'])
  return b.build(part === 'both' ? 'head' : 'logits')
}
