/**
 * @file The whole decoder as one ONNX graph of stock operators, with a cache of keys and values: input_ids, attention_mask,
 * past_key_values.N.key/value → logits, present.N.key/value. Attention is GroupQueryAttention (grouped heads, scale, soft cap,
 * sliding window, ALiBi by its bias input); residual sums and norms are fused as ONNX Runtime has them.
 */
import { AppError } from '../../contract/errors.ts'
import { createBuilder, type Builder } from '../graph/builder.ts'
import { blockExtras, linearShape, modelExtras, type DecoderSpec, type Rope } from '../graph/decoder/spec.ts'
import type { Dimension, Graph } from '../graph/graph.ts'
import { toHalves } from '../io/float.ts'
import type { BlockLayer } from '../model.ts'
import { addBranch, type StoredBranches } from './onnx-branch.ts'
import type { ExternalData } from './onnx-data.ts'
import { lookUp, multiply, storeWeight, type Accuracy, type StoredWeight, type WeightStore } from './onnx-layers.ts'
import { alibiBias, positions, rotaryTables, type Positions, type RotaryTables } from './onnx-positions.ts'

export interface DecoderSource {
  readonly spec: DecoderSpec
  /** Option of each layer. */
  readonly choice: ReadonlyMap<string, string>
  /** The codec's bytes of a layer. */
  readonly readTensor: (layer: string) => Promise<Uint8Array>
  /** Low-rank branches beside layers; none where it is missing. */
  readonly branches?: StoredBranches
  /** Norms and biases of a block, or of the model outside the blocks (null). */
  readonly readExtras: (block: number | null) => Promise<Readonly<Record<string, Float32Array>>>
  /** Store learned positions in 16 bits: they are so in the source. */
  readonly halfPositions: boolean
  readonly accuracy: Accuracy
  readonly metadata: Readonly<Record<string, string>>
}

/** Operator sets of exported graphs: 21 is the first with all that is used, and old enough for runtimes of 2024. */
const exportOpset = { '': 21, 'com.microsoft': 1 }
const microsoft = { domain: 'com.microsoft' }

interface Parts {
  readonly b: Builder
  readonly spec: DecoderSpec
  readonly store: WeightStore
  readonly branches: StoredBranches | undefined
  readonly weight: (name: string, shape: readonly [number, number]) => StoredWeight
  /** A norm's or bias's values as an initializer, by full name. */
  readonly extra: (name: string) => string
  readonly halfPositions: boolean
}

/** Writes the graph; `data` receives its weights. */
export function decoderGraph(source: DecoderSource, data: ExternalData): Graph {
  const { spec } = source
  const b = createBuilder(exportOpset)
  const parts = openParts(source, b, data)
  const tokens = b.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
  const mask = b.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length'])
  const cacheShape = (length: string): Dimension[] => ['batch_size', spec.kvHeads, length, cacheHeadSize(spec)]
  for (let block = 0; block < spec.blocks; block++) for (const part of ['key', 'value']) b.input(pastName(block, part), 'float32', cacheShape('past_sequence_length'))
  const place = positions(b, tokens, mask)
  const table = parts.weight('embedding', [spec.vocabulary, spec.hidden])
  const context = attentionContext(parts, tokens, place)
  const hidden = blocks(parts, embed(parts, tokens, place, table), context)
  const head = spec.tied ? table : parts.weight('head', [spec.vocabulary, spec.hidden])
  b.one('Identity', [softCap(b, multiply(parts.store, hidden, head, null), spec.logitCap)], {}, { outputs: ['logits'] })
  b.output('logits', 'float32', ['batch_size', 'sequence_length', spec.vocabulary])
  for (let block = 0; block < spec.blocks; block++) for (const part of ['key', 'value']) b.output(presentName(block, part), 'float32', cacheShape('total_sequence_length'))
  return b.build('decoder', source.metadata)
}

/** Size of a head in the cache: GroupQueryAttention takes multiples of 8, so others are filled up with zeros. */
export function cacheHeadSize({ headSize }: DecoderSpec): number {
  return Math.ceil(headSize / 8) * 8
}

const pastName = (block: number, part: string): string => `past_key_values.${block}.${part}`
const presentName = (block: number, part: string): string => `present.${block}.${part}`

function openParts({ spec, choice, readTensor, branches, readExtras, halfPositions, accuracy }: DecoderSource, b: Builder, data: ExternalData): Parts {
  const store: WeightStore = { b, data, accuracy, read: readTensor }
  const shapes = new Map<string, readonly number[]>([...modelExtras(spec)])
  for (let block = 0; block < spec.blocks; block++) for (const [name, length] of blockExtras(spec)) shapes.set(`blocks.${block}.${name}`, [length])
  return {
    b, spec, store, branches, halfPositions,
    weight(name, shape) {
      const option = choice.get(name)
      if (option === undefined) throw new AppError('bad-recipe', `recipe: no option for layer ${name}`, { hint: 'Plan again for this model.' })
      return storeWeight(store, name, shape, option)
    },
    extra(name) {
      const dims = shapes.get(name)
      if (dims === undefined) throw new Error(`no tensor ${name} in this model`)
      const [, block, short] = /^blocks\.(\d+)\.(.+)$/.exec(name) ?? [null, null, name]
      const type = name === 'positions' && halfPositions ? 'float16' : 'float32'
      const [initializer] = data.add(name, [{ name, type, dims }], async () => {
        const values = (await readExtras(block === null ? null : Number(block)))[short]
        return [type === 'float16' ? await toHalves(values) : new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]
      })
      return b.initializer(initializer)
    },
  }
}

function embed(parts: Parts, tokens: string, place: Positions, table: StoredWeight): string {
  const { b, spec, store, extra } = parts
  let x = lookUp(store, tokens, table)
  if (spec.embeddingScale !== 1) x = b.one('Mul', [x, b.floats(spec.embeddingScale)])
  if (spec.positions.kind === 'learned') {
    const rows = b.one('Gather', [extra('positions'), b.one('Add', [place.ids, b.ints(spec.positions.offset)])], { axis: { int: 0 } })
    x = b.one('Add', [x, parts.halfPositions ? b.one('Cast', [rows], { to: { int: 1 } }) : rows])
  }
  return spec.embeddingNorm ? norm(parts, x, 'embedding_norm') : x
}

/** The model's norm over the last axis. */
function norm({ b, spec, extra }: Parts, x: string, name: string): string {
  const attributes = { axis: { int: -1 }, epsilon: { float: spec.norm.epsilon } }
  if (spec.norm.kind === 'rms') return b.one('SimplifiedLayerNormalization', [x, extra(name)], attributes)
  return b.one('LayerNormalization', [x, extra(name), extra(`${name}.bias`)], attributes)
}

/** stream + branch, and the norm of that sum. */
function addNorm({ b, spec, extra }: Parts, stream: string, branch: string, name: string): { sum: string; normed: string } {
  const attributes = { epsilon: { float: spec.norm.epsilon } }
  const outputs = { ...microsoft, outputs: [b.fresh(`${name}:normed`), '', '', b.fresh(`${name}:sum`)] }
  const [normed, , , sum] = spec.norm.kind === 'rms'
    ? b.node('SkipSimplifiedLayerNormalization', [stream, branch, extra(name)], attributes, outputs)
    : b.node('SkipLayerNormalization', [stream, branch, extra(name), extra(`${name}.bias`)], attributes, outputs)
  return { sum, normed }
}

/** All blocks and the final norm. Before a block the sum of its input waits for the norm it is fused with. */
function blocks(parts: Parts, start: string, context: AttentionContext): string {
  const { b, spec } = parts
  const { placement, final } = spec.norm
  const after = (branch: string, name: string): string => (placement === 'both' ? norm(parts, branch, name) : branch)
  let stream = start
  let branch: string | null = null
  /** Adds the waiting branch; the result is [stream, norm of the stream]. */
  const advance = (name: string): string => {
    if (branch === null) return norm(parts, stream, name)
    const { sum, normed } = addNorm(parts, stream, branch, name)
    stream = sum
    return normed
  }
  for (let block = 0; block < spec.blocks; block++) {
    const name = (part: string): string => `blocks.${block}.${part}`
    if (placement === 'post') {
      stream = addNorm(parts, stream, attention(parts, stream, block, context), name('attention_norm')).normed
      stream = addNorm(parts, stream, mlp(parts, stream, block), name('mlp_norm')).normed
      continue
    }
    const normed = advance(name('attention_norm'))
    branch = after(attention(parts, normed, block, context), name('attention_post_norm'))
    const wide = advance(name('mlp_norm'))
    branch = after(mlp(parts, wide, block), name('mlp_post_norm'))
  }
  if (final) return advance('final_norm')
  return branch === null ? stream : b.one('Add', [stream, branch])
}

function linear({ spec, store, branches, weight, extra }: Parts, x: string, block: number, layer: BlockLayer): string {
  const name = `blocks.${block}.${layer}`
  const shape = linearShape(spec, layer)
  const y = multiply(store, x, weight(name, shape), spec.biases.includes(layer) ? extra(`${name}.bias`) : null)
  return branches === undefined ? y : addBranch(store, branches, { name, shape, x, y })
}

const activations: Readonly<Record<DecoderSpec['activation'], (b: Builder, x: string) => string>> = {
  relu: (b, x) => b.one('Relu', [x]),
  silu: (b, x) => b.one('Mul', [x, b.one('Sigmoid', [x])]),
  gelu: (b, x) => b.one('Gelu', [x], { approximate: { string: 'none' } }),
  'gelu-tanh': (b, x) => b.one('Gelu', [x], { approximate: { string: 'tanh' } }),
}

function mlp(parts: Parts, x: string, block: number): string {
  const { b, spec } = parts
  const activate = activations[spec.activation]
  const inner = spec.gated ? b.one('Mul', [activate(b, linear(parts, x, block, 'gate')), linear(parts, x, block, 'up')]) : activate(b, linear(parts, x, block, 'up'))
  return linear(parts, inner, block, 'down')
}

interface AttentionContext extends Positions {
  /** Rotary tables of full and of sliding blocks. */
  readonly rotary: { readonly full: RotaryTables; readonly sliding: RotaryTables } | null
  readonly bias: string
}

function attentionContext({ b, spec }: Parts, tokens: string, place: Positions): AttentionContext {
  if (spec.positions.kind !== 'rope') return { ...place, rotary: null, bias: spec.positions.kind === 'alibi' ? alibiBias(b, spec.heads, tokens, place) : '' }
  const { rope, local } = spec.positions
  const tables = new Map<Rope, RotaryTables>()
  const tableOf = (wanted: Rope): RotaryTables => {
    const same = [...tables].find(([known]) => JSON.stringify(known) === JSON.stringify(wanted))
    const made = same?.[1] ?? rotaryTables(b, wanted, place)
    tables.set(wanted, made)
    return made
  }
  const full = tableOf(rope)
  return { ...place, rotary: { full, sliding: spec.sliding.includes(true) ? tableOf(local) : full }, bias: '' }
}

function attention(parts: Parts, x: string, block: number, context: AttentionContext): string {
  const { b, spec } = parts
  const isSliding = spec.sliding[block] && spec.window !== null
  const turned = (layer: 'q' | 'k', heads: number): string => {
    const projected = linear(parts, x, block, layer)
    const normed = spec.qkNorm ? headNorm(parts, projected, heads, `blocks.${block}.${layer}_norm`) : projected
    return context.rotary === null ? normed : rotate(b, normed, heads, spec, isSliding ? context.rotary.sliding : context.rotary.full)
  }
  const projections = [turned('q', spec.heads), turned('k', spec.kvHeads), linear(parts, x, block, 'v')]
  const heads = projections.map((projected, at) => resizeHeads(b, projected, at === 0 ? spec.heads : spec.kvHeads, spec.headSize, cacheHeadSize(spec)))
  const inputs = [...heads, pastName(block, 'key'), pastName(block, 'value'), context.seqlens, context.total]
  const optional = context.bias === '' ? [] : ['', '', '', context.bias]
  const attributes = {
    num_heads: { int: spec.heads }, kv_num_heads: { int: spec.kvHeads }, scale: { float: spec.attentionScale },
    ...(spec.attentionCap !== null && { softcap: { float: spec.attentionCap } }),
    ...(isSliding && spec.window !== null && { local_window_size: { int: spec.window } }),
  }
  const outputs = [b.fresh(`blocks.${block}.attention`), presentName(block, 'key'), presentName(block, 'value')]
  const [mixed] = b.node('GroupQueryAttention', [...inputs, ...optional], attributes, { ...microsoft, outputs })
  return linear(parts, resizeHeads(b, mixed, spec.heads, cacheHeadSize(spec), spec.headSize), block, 'o')
}

/** Fills every head of [batch, time, heads · from] up with zeros, or cuts it, to `to` values. */
function resizeHeads(b: Builder, x: string, heads: number, from: number, to: number): string {
  if (from === to) return x
  const split = b.one('Reshape', [x, b.ints([0, 0, heads, from])])
  const resized = from < to ? b.one('Pad', [split, b.ints([0, 0, 0, 0, 0, 0, 0, to - from])]) : b.one('Slice', [split, b.ints([0]), b.ints([to]), b.ints([3])])
  return b.one('Reshape', [resized, b.ints([0, 0, heads * to])])
}

/** RMS norm of every head by itself: [batch, time, heads · size] and back. */
function headNorm({ b, spec, extra }: Parts, x: string, heads: number, name: string): string {
  const split = b.one('Reshape', [x, b.ints([0, 0, heads, spec.headSize])])
  const normed = b.one('SimplifiedLayerNormalization', [split, extra(name)], { axis: { int: -1 }, epsilon: { float: spec.norm.epsilon } })
  return b.one('Reshape', [normed, b.ints([0, 0, heads * spec.headSize])])
}

function rotate(b: Builder, x: string, heads: number, { headSize, positions: kind }: DecoderSpec, { cos, sin, rows }: RotaryTables): string {
  const dimensions = kind.kind === 'rope' ? kind.rope.dimensions : headSize
  const attributes = { num_heads: { int: heads }, ...(dimensions < headSize && { rotary_embedding_dim: { int: dimensions } }) }
  return b.one('RotaryEmbedding', [x, rows, cos, sin], attributes, microsoft)
}

function softCap(b: Builder, x: string, cap: number | null): string {
  return cap === null ? x : b.one('Mul', [b.one('Tanh', [b.one('Div', [x, b.floats(cap)])]), b.floats(cap)])
}
