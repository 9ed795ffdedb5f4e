/**
 * @file A model over its packed weights, block by block, several windows side by side. Sessions are made once for every kind of block;
 * weights enter as they are stored, so that none that is quantized is ever dense.
 */
import { availableParallelism } from 'node:os'
import { runtime } from '../../../../kernels/runtime.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../../kernels/kernels.ts'
import { AppError } from '../../../contract/errors.ts'
import { blockGraph } from '../../graph/decoder/block.ts'
import { headGraph } from '../../graph/decoder/head.ts'
import type { LinearKind } from '../../graph/decoder/layers.ts'
import { linears, type DecoderSpec } from '../../graph/decoder/spec.ts'
import { encodeModel } from '../../graph/encode.ts'
import type { Graph } from '../../graph/graph.ts'
import type { BlockLayer } from '../../model.ts'
import { openContexts } from '../../session/positions.ts'
import { oneArena, openProgram } from '../../session/program.ts'
import { weightFeeds } from '../base/weight.ts'
import { branchFeeds } from '../trainables/adapters.ts'
import type { TrainingState } from '../trainables/state.ts'
import type { Batch } from '../window.ts'

export type Feeds = Readonly<Record<string, Tensor>>
export type Kinds = Readonly<Partial<Record<BlockLayer, LinearKind>>>

/** The windows of a batch, whatever is to be learned from them. */
export type Tokens = Pick<Batch, 'count' | 'time' | 'tokens'>

export interface PackedProgram {
  readonly state: TrainingState
  /** Input of the first block, [count · time, hidden]. */
  embed(batch: Tokens): Promise<Float32Array>
  /** Output of a block. */
  forward(block: number, hidden: Float32Array, batch: Tokens): Promise<Float32Array>
  /** Logits [rows, vocabulary] of outputs of the last block. */
  logits(hidden: Float32Array): Promise<Float32Array>
  /** How the layers of a block enter its graph. */
  kinds(block: number): Kinds
  /** Everything a block's graph reads, for a run before another block's is asked for; and everything the head's does but for hidden states. */
  blockFeeds(block: number, hidden: Float32Array, batch: Tokens): Promise<Feeds>
  headFeeds(): Feeds
  headKind(): LinearKind
  /**
   * Runs the graph that goes by `key`, made where it is new; inputs that it does not have are left out. Outputs named in `passing`, of one
   * shape in every graph, are written over those of the last run that had them.
   */
  run(key: string, graph: () => Graph, feeds: Feeds, passing?: readonly string[]): Promise<Record<string, Tensor>>
  dispose(): void
}

export interface PackedProgramOptions {
  readonly threads?: number | undefined
  readonly signal: AbortSignal
}

export function float(data: Float32Array, ...dims: number[]): Tensor {
  return { type: 'float32', dims, data }
}

export function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new AppError('runtime-failed', `ONNX Runtime: found an output of type ${tensor?.type ?? 'nothing'}, expected float32`)
}

/** Heads of a part of the attention. Rows of the scores of so many begin at whole vectors as they do in one piece, and sums keep their bits. */
const PIECE_HEADS = 8

/** Parts that attention is taken in, so that the scores of one are alive at a time. */
export function piecesOf({ heads, kvHeads }: Pick<DecoderSpec, 'heads' | 'kvHeads'>): number {
  const pieces = heads / PIECE_HEADS
  return Number.isInteger(pieces) && kvHeads % pieces === 0 ? pieces : 1
}

/** Opens a program over a state, whose values it reads anew with every run. */
export function openPackedProgram(state: TrainingState, { threads = availableParallelism(), signal }: PackedProgramOptions): PackedProgram {
  const { base, weights, head, branches, extras, scales, codes } = state
  const { spec } = base.model
  const options: SessionOptions = { threads, ...oneArena }
  const sessions = new Map<string, Promise<NativeSession>>()
  const places = new Map<string, Tensor>()
  const contexts = openContexts(spec)
  const outside = openProgram(base.model, { threads, signal, tableBytes: 0 })

  async function run(key: string, graph: () => Graph, feeds: Feeds, passing: readonly string[] = []): Promise<Record<string, Tensor>> {
    const made = sessions.get(key) ?? runtime().createSession(encodeModel(graph()), options)
    sessions.set(key, made)
    const session = await made
    const wanted = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name))
    const result = await session.run(Object.fromEntries(wanted), Object.fromEntries(session.outputNames.map((name) => [name, places.get(name) ?? null])), signal)
    for (const name of passing) places.set(name, result[name])
    return result
  }

  function kindOf(layer: string): LinearKind {
    const kind = state.kinds.get(layer)
    if (kind === undefined) throw new Error(`no weight ${layer}`)
    return kind
  }

  function vectors(block: number | null): Record<string, Tensor> {
    return Object.fromEntries(Object.entries(extras.get(block) ?? {}).map(([name, data]) => [name, float(data, data.length)]))
  }

  function kinds(block: number): Kinds {
    return Object.fromEntries(linears(spec).map((short) => [short, kindOf(`blocks.${block}.${short}`)]))
  }

  async function blockFeeds(block: number, hidden: Float32Array, { count, time }: Tokens): Promise<Feeds> {
    const own = await weights.get(block)
    const feeds: Record<string, Tensor> = { hidden: float(hidden, count, time, spec.hidden), ...contexts.feeds(spec.sliding[block], 0, time), ...vectors(block) }
    for (const short of linears(spec)) {
      const layer = `blocks.${block}.${short}`
      const [weight, branch] = [own.get(layer), branches.get(layer)]
      Object.assign(feeds, weight && weightFeeds(short, weight), scales.get(layer)?.feeds(), codes.get(layer)?.feeds(), branch && branchFeeds(short, branch))
    }
    return feeds
  }

  const headFeeds = (): Feeds => ({ ...vectors(null), ...(head && weightFeeds('head', head)) })
  const headKind = (): LinearKind => kindOf('head')

  return {
    state, kinds, blockFeeds, headFeeds, headKind, run,
    async embed({ count, time, tokens }) {
      const { table, places } = await base.embedding(tokens)
      const hidden = new Float32Array(count * time * spec.hidden)
      for (let window = 0; window < count; window++) hidden.set(await outside.embed(places.subarray(window * time, (window + 1) * time), table), window * time * spec.hidden)
      return hidden
    },
    async forward(block, hidden, batch) {
      const own = kinds(block)
      return floats((await run(`forward ${JSON.stringify(own)}`, () => blockGraph(spec, { kinds: own, pieces: piecesOf(spec) }), await blockFeeds(block, hidden, batch))).out)
    },
    async logits(hidden) {
      const feeds = { ...headFeeds(), hidden: float(hidden, hidden.length / spec.hidden, spec.hidden) }
      return floats((await run('logits', () => headGraph(spec, { kind: headKind() }), feeds)).logits)
    },
    dispose() {
      for (const made of sessions.values()) void made.then((session) => session.dispose(), () => undefined)
      sessions.clear()
      places.clear()
      outside.dispose()
    },
  }
}
