/**
 * @file The graph of one decoder block, the same for all blocks of a model: weights, rotary tables and masks are inputs.
 * hidden [batch, time, hidden] → out; with a cache also past_k/past_v → new_k/new_v, of these positions alone; with taps also the inputs of
 * the linear layers, [batch · time, in], named `tap.qkv`, `tap.o`, `tap.mlp`, `tap.down`.
 */
import { createBuilder } from '../builder.ts'
import type { BlockLayer } from '../../model.ts'
import type { Dimension, Graph } from '../graph.ts'
import { attention } from './attention.ts'
import { activations, linear, norm, type LinearKind } from './layers.ts'
import { linearShape, type DecoderSpec, type Tap } from './spec.ts'

export interface BlockOptions {
  readonly cache?: boolean
  readonly taps?: readonly Tap[]
  /** Ends the graph at this tap: it is the only output, and only what it needs is computed and asked for. */
  readonly until?: Tap
  /** How each weight enters; dense where nothing is said. */
  readonly kinds?: Readonly<Partial<Record<BlockLayer, LinearKind>>>
  /** Parts of the attention that are computed one after the other, to take less memory; one where nothing is said. */
  readonly pieces?: number
}

/** Builds the block graph of a model. Names of weight inputs are those of `blockExtras` and the linear layers. */
export function blockGraph(spec: DecoderSpec, { cache = false, taps = [], until, kinds = {}, pieces = 1 }: BlockOptions = {}): Graph {
  const b = createBuilder()
  const { placement } = spec.norm
  const before = (x: string, name: string): string => (placement === 'post' ? x : norm(b, spec, x, name))
  const project = (x: string, name: BlockLayer): string => linear(b, x, { name, shape: linearShape(spec, name), bias: spec.biases.includes(name), kind: kinds[name] })
  /** Adds a branch's output to the stream, through the norms that stand after it. */
  const join = (stream: string, branch: string, name: 'attention' | 'mlp'): string => {
    const sum = b.one('Add', [stream, placement === 'both' ? norm(b, spec, branch, `${name}_post_norm`) : branch])
    return placement === 'post' ? norm(b, spec, sum, `${name}_norm`) : sum
  }
  const give = (value: string, name: string, shape: readonly Dimension[]): void => b.output(b.one('Identity', [value], {}, { outputs: [name] }), 'float32', shape)
  /** Gives a tap where it is wanted; true where the graph ends here. */
  const ends = (tap: Tap, value: string, width: number): boolean => {
    if (until === tap || taps.includes(tap)) give(value, `tap.${tap}`, ['rows', width])
    return until === tap
  }

  const hidden = b.input('hidden', 'float32', ['batch', 'time', spec.hidden])
  const time = b.one('Shape', [hidden], { start: { int: 1 }, end: { int: 2 } })
  const stream = b.one('Reshape', [hidden, b.ints([-1, spec.hidden])])

  const qkv = before(stream, 'attention_norm')
  if (ends('qkv', qkv, spec.hidden)) return b.build('tap')
  const { context, keys, values } = attention(b, spec, { q: project(qkv, 'q'), k: project(qkv, 'k'), v: project(qkv, 'v'), time, cache, pieces })
  if (ends('o', context, spec.heads * spec.headSize)) return b.build('tap')
  const middle = join(stream, project(context, 'o'), 'attention')

  const mlp = before(middle, 'mlp_norm')
  if (ends('mlp', mlp, spec.hidden)) return b.build('tap')
  const activate = activations[spec.activation]
  const down = spec.gated ? b.one('Mul', [activate(b, project(mlp, 'gate')), project(mlp, 'up')]) : activate(b, project(mlp, 'up'))
  if (ends('down', down, spec.intermediate)) return b.build('tap')
  const end = join(middle, project(down, 'down'), 'mlp')

  b.output(b.one('Reshape', [end, b.one('Shape', [hidden])], {}, { outputs: ['out'] }), 'float32', ['batch', 'time', spec.hidden])
  if (cache) {
    give(keys, 'new_k', ['batch', spec.kvHeads, 'time', spec.headSize])
    give(values, 'new_v', ['batch', spec.kvHeads, 'time', spec.headSize])
  }
  return b.build('block')
}
