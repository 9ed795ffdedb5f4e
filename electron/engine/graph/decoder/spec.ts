/**
 * @file What a decoder language model is, as data: everything the block, embed and head graphs depend on. A family
 * (`families/`) reads one from config.json or GGUF metadata; from here on nothing asks which family a model is of.
 */
import { AppError } from '../../../contract/errors.ts'
import type { BlockLayer } from '../../model.ts'

/** How the rotary frequencies are changed for contexts longer than those of the training. */
export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | { readonly kind: 'dynamic'; readonly factor: number; readonly original: number }
  | { readonly kind: 'llama3'; readonly factor: number; readonly low: number; readonly high: number; readonly original: number }
  | { readonly kind: 'yarn'; readonly factor: number; readonly attention: number; readonly fast: number; readonly slow: number; readonly original: number; readonly truncate: boolean }
  | { readonly kind: 'longrope'; readonly short: readonly number[]; readonly long: readonly number[]; readonly attention: number; readonly original: number }
  /** GGUF's `rope_freqs` tensor: a divisor for every frequency. */
  | { readonly kind: 'divided'; readonly divisors: readonly number[] }

/** Rotary positions over the first `dimensions` of a head, its two halves rotated against each other. */
export interface Rope {
  readonly theta: number
  readonly dimensions: number
  readonly scaling: RopeScaling
}

export type Positions =
  /** `local` is the rope of sliding-window blocks (Gemma 3); elsewhere it equals `rope`. */
  | { readonly kind: 'rope'; readonly rope: Rope; readonly local: Rope }
  /** A table added to the embeddings; position p reads row p + offset. */
  | { readonly kind: 'learned'; readonly offset: number; readonly rows: number }
  /** A bias on the scores, linear in the distance (Press et al. 2022). */
  | { readonly kind: 'alibi' }

export type Activation = 'silu' | 'gelu' | 'gelu-tanh' | 'relu'

/** Where the norms of the attention and of the MLP stand: before, after the residual sum, or before and after (Gemma). */
export type NormPlacement = 'pre' | 'post' | 'both'

export interface DecoderSpec {
  /** The file's own word: Hugging Face's model_type or GGUF's general.architecture. */
  readonly architecture: string
  readonly hidden: number
  readonly blocks: number
  readonly heads: number
  readonly kvHeads: number
  readonly headSize: number
  readonly intermediate: number
  readonly vocabulary: number
  readonly contextLength: number
  readonly norm: { readonly kind: 'rms' | 'layer'; readonly epsilon: number; readonly placement: NormPlacement; readonly final: boolean }
  readonly positions: Positions
  readonly activation: Activation
  /** act(gate(x)) · up(x) in place of act(up(x)). */
  readonly gated: boolean
  readonly biases: readonly BlockLayer[]
  /** RMS norm of every head of q and k (Qwen 3, Gemma 3). */
  readonly qkNorm: boolean
  /** Factor of q·k: 1/√headSize, unless the model says otherwise. */
  readonly attentionScale: number
  /** cap · tanh(x / cap) on the scores and on the logits (Gemma 2). */
  readonly attentionCap: number | null
  readonly logitCap: number | null
  /** Positions a sliding block sees, itself counted; null where all blocks see everything. */
  readonly window: number | null
  /** Which blocks slide, by block. */
  readonly sliding: readonly boolean[]
  readonly embeddingScale: number
  readonly embeddingNorm: boolean
  /** The head reads the embedding table. */
  readonly tied: boolean
}

/** The linear layers of a block: those without a gate have `up` alone. */
export function linears(spec: DecoderSpec): readonly BlockLayer[] {
  return spec.gated ? ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] : ['q', 'k', 'v', 'o', 'up', 'down']
}

/** [out, in] of a linear layer of a block. */
export function linearShape(spec: DecoderSpec, layer: BlockLayer): readonly [number, number] {
  const queries = spec.heads * spec.headSize
  const keys = spec.kvHeads * spec.headSize
  const shapes = {
    q: [queries, spec.hidden],
    k: [keys, spec.hidden],
    v: [keys, spec.hidden],
    o: [spec.hidden, queries],
    gate: [spec.intermediate, spec.hidden],
    up: [spec.intermediate, spec.hidden],
    down: [spec.hidden, spec.intermediate],
  } as const satisfies Record<BlockLayer, readonly [number, number]>
  return shapes[layer]
}

/** The activation each linear layer reads; layers that share one share calibration statistics. */
export const linearInput: Readonly<Record<BlockLayer, Tap>> = { q: 'qkv', k: 'qkv', v: 'qkv', o: 'o', gate: 'mlp', up: 'mlp', down: 'down' }
export type Tap = 'qkv' | 'o' | 'mlp' | 'down'

function norms(name: string, kind: 'rms' | 'layer'): string[] {
  return kind === 'layer' ? [name, `${name}.bias`] : [name]
}

/** Names and lengths of a block's small tensors, kept in full precision: norms and biases. */
export function blockExtras(spec: DecoderSpec): ReadonlyMap<string, number> {
  const names = [
    ...norms('attention_norm', spec.norm.kind),
    ...(spec.norm.placement === 'both' ? norms('attention_post_norm', spec.norm.kind) : []),
    ...norms('mlp_norm', spec.norm.kind),
    ...(spec.norm.placement === 'both' ? norms('mlp_post_norm', spec.norm.kind) : []),
  ].map((name): [string, number] => [name, spec.hidden])
  const heads = spec.qkNorm ? ['q_norm', 'k_norm'].map((name): [string, number] => [name, spec.headSize]) : []
  return new Map([...names, ...heads, ...spec.biases.map((layer): [string, number] => [`${layer}.bias`, linearShape(spec, layer)[0]])])
}

/** Names and shapes of the small tensors outside the blocks. */
export function modelExtras(spec: DecoderSpec): ReadonlyMap<string, readonly number[]> {
  const positions = spec.positions.kind === 'learned' ? [['positions', [spec.positions.rows, spec.hidden]] as const] : []
  const names = [...(spec.embeddingNorm ? norms('embedding_norm', spec.norm.kind) : []), ...(spec.norm.final ? norms('final_norm', spec.norm.kind) : [])]
  return new Map<string, readonly number[]>([...positions, ...names.map((name) => [name, [spec.hidden]] as const)])
}

/** Throws where the numbers of a spec do not fit each other. `where` is the file they come from. */
export function checkSpec(spec: DecoderSpec, where: string): DecoderSpec {
  const rope = spec.positions.kind === 'rope' ? [spec.positions.rope, spec.positions.local] : []
  const problems = [
    spec.heads % spec.kvHeads === 0 || `${spec.heads} attention heads and ${spec.kvHeads} key/value heads, expected a multiple`,
    rope.every(({ dimensions }) => dimensions > 0 && dimensions % 2 === 0 && dimensions <= spec.headSize) || `a rotary part of ${rope[0]?.dimensions ?? 0} of ${spec.headSize} dimensions, expected an even part of the head`,
    rope.every(({ theta }) => theta > 1) || `rotary base ${rope[0]?.theta ?? 0}, expected more than 1`,
    spec.norm.epsilon > 0 || `norm epsilon ${spec.norm.epsilon}, expected more than 0`,
    spec.sliding.length === spec.blocks || `attention kinds of ${spec.sliding.length} blocks, expected ${spec.blocks}`,
    rope.every((one) => scalingLength(one) === null || scalingLength(one) === one.dimensions / 2) || `rotary factors for ${scalingLength(rope[0]) ?? 0} frequencies, expected ${(rope[0]?.dimensions ?? 0) / 2}`,
  ].filter((problem) => problem !== true)
  if (problems.length > 0) throw new AppError('file-malformed', `${where}: ${problems.join('; ')}`, { hint: 'The model description contradicts itself; compare it with the original model.' })
  return spec
}

function scalingLength(rope: Rope | undefined): number | null {
  if (rope?.scaling.kind === 'divided') return rope.scaling.divisors.length
  if (rope?.scaling.kind === 'longrope') return rope.scaling.short.length === rope.scaling.long.length ? rope.scaling.short.length : 0
  return null
}
