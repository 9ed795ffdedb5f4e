/**
 * @file A decoder that runs: embed, block and head sessions made once, weights fed with every call. One block's weights are all
 * that need be resident, and quantized ones can be put in the place of the checkpoint's.
 */
import { availableParallelism } from 'node:os'
import { runtime } from '../../../kernels/runtime.ts'
import type { NativeSession, SessionOptions, Tensor } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { BlockRunner, BlockWeights } from '../calibrate/runner.ts'
import { blockGraph, type BlockOptions } from '../graph/decoder/block.ts'
import { embedGraph } from '../graph/decoder/embed.ts'
import { headGraph } from '../graph/decoder/head.ts'
import { linearShape, linears, type Tap } from '../graph/decoder/spec.ts'
import { encodeModel } from '../graph/encode.ts'
import type { Graph } from '../graph/graph.ts'
import type { BlockLayer } from '../model.ts'
import type { DecoderModel } from './model.ts'
import { withPositions, type KeyCache } from './key-cache.ts'
import { openContexts, type ContextSize } from './positions.ts'
import { openTables } from './tables.ts'

export interface Program extends BlockRunner {
  /** Hidden states of tokens at positions past …, of `count` texts side by side, [count, time]. */
  embedAt(tokens: Int32Array, past: number, count?: number): Promise<Float32Array>
  /** Runs positions that follow those of `cache`, of `count` texts side by side; `length` is the whole context's where scaling depends on it. */
  runCached(block: number, hidden: Float32Array, weights: BlockWeights, cache: KeyCache, context?: { length?: number; count?: number }): Promise<{ hidden: Float32Array; cache: KeyCache }>
  /** Frees sessions and tables. The model stays open. */
  dispose(): void
}

export interface ProgramOptions {
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Where a block's weights come from; the checkpoint unless told. */
  readonly weights?: ((block: number) => Promise<BlockWeights>) | undefined
  /** Largest embedding or head table kept in memory, in bytes of float32. */
  readonly tableBytes?: number
}

/** A table of 32,000 rows of 8,192 in float32. Larger ones are read piecewise. */
export const TABLE_BYTES = 1 << 30
/** Sessions that run in turn take their activations from one arena; patterns would keep one for each. */
export const oneArena: SessionOptions = { memoryPattern: false, config: { 'session.use_env_allocators': '1' } }
const allTaps: readonly Tap[] = ['qkv', 'o', 'mlp', 'down']

function float(data: Float32Array, ...dims: number[]): Tensor {
  return { type: 'float32', dims, data }
}

function floats(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new AppError('runtime-failed', `ONNX Runtime: found an output of type ${tensor?.type ?? 'nothing'}, expected float32`)
}

/** Opens a program over a model. Sessions are made when they are first needed. */
export function openProgram(model: DecoderModel, { threads = availableParallelism(), signal, weights, tableBytes = TABLE_BYTES }: ProgramOptions = {}): Program {
  const { spec } = model
  const sessions = new Map<string, Promise<NativeSession>>()
  const extras = new Map<number | null, Promise<Readonly<Record<string, Float32Array>>>>()
  const tables = openTables(model, tableBytes)
  const contexts = openContexts(spec)

  function session(name: string, graph: () => Graph): Promise<NativeSession> {
    const made = sessions.get(name) ?? runtime().createSession(encodeModel(graph()), { threads, ...oneArena })
    sessions.set(name, made)
    return made
  }

  function extrasOf(block: number | null): Promise<Readonly<Record<string, Float32Array>>> {
    const read = extras.get(block) ?? model.readExtras(block)
    extras.set(block, read)
    return read
  }

  async function vectors(block: number | null, wanted: (name: string) => boolean): Promise<Record<string, Tensor>> {
    const values = await extrasOf(block)
    return Object.fromEntries(Object.entries(values).filter(([name]) => wanted(name)).map(([name, data]) => [name, float(data, data.length)]))
  }

  /** Outputs are new arrays but for those that `places` names. */
  async function run(name: string, graph: () => Graph, feeds: Record<string, Tensor>, outputs: readonly string[], places: Readonly<Record<string, Tensor>> = {}): Promise<Record<string, Tensor>> {
    const opened = await session(name, graph)
    const wanted = Object.entries(feeds).filter(([input]) => opened.inputNames.includes(input))
    return opened.run(Object.fromEntries(wanted), Object.fromEntries(outputs.map((output) => [output, places[output] ?? null])), signal)
  }

  async function readBlock(block: number): Promise<BlockWeights> {
    const read: Partial<Record<BlockLayer, Float32Array>> = {}
    for (const layer of linears(spec)) read[layer] = await model.readWeight(`blocks.${block}.${layer}`)
    return read
  }

  function weightFeeds(block: number, given: BlockWeights): Record<string, Tensor> {
    return Object.fromEntries(
      linears(spec).map((layer) => {
        const data = given[layer]
        const [out, cols] = linearShape(spec, layer)
        if (data?.length !== out * cols) throw new AppError('bad-shape', `blocks.${block}.${layer}: found ${data?.length ?? 'no'} weights, expected ${out} × ${cols}`)
        return [layer, float(data, out, cols)]
      }),
    )
  }

  async function runBlock(block: number, hidden: Float32Array, given: BlockWeights, options: BlockOptions, context: ContextSize & { past: number; count?: number; more?: Record<string, Tensor> }, outputs: readonly string[]): Promise<Record<string, Tensor>> {
    const { count = 1 } = context
    const time = hidden.length / spec.hidden / count
    const feeds = {
      hidden: float(hidden, count, time, spec.hidden),
      ...contexts.feeds(spec.sliding[block], context.past, time, context),
      ...(await vectors(block, () => true)),
      ...weightFeeds(block, given),
      ...context.more,
    }
    return run(`block ${outputs.join(' ')}`, () => blockGraph(spec, options), feeds, outputs)
  }

  async function embedAt(window: Int32Array, past: number, count = 1, replaced?: Float32Array): Promise<Float32Array> {
    const time = window.length / count
    const bad = window.find((token) => token < 0 || token >= spec.vocabulary)
    if (bad !== undefined) throw new AppError('bad-tokenizer', `${model.path}: found token ${bad}, expected ids from 0 to ${spec.vocabulary - 1}`, { hint: 'The tokenizer is of another model.' })
    const { table, rows } = replaced === undefined ? await tables.embeddingRows(window) : { table: replaced, rows: BigInt64Array.from(window, BigInt) }
    const feeds = {
      embedding: float(table, table.length / spec.hidden, spec.hidden),
      rows: { type: 'int64' as const, dims: [count, time], data: rows },
      ...(await vectors(null, (name) => name.startsWith('embedding_norm'))),
      ...contexts.learned(past, time, spec.positions.kind === 'learned' ? (await extrasOf(null)).positions : undefined),
    }
    return floats((await run('embed', () => embedGraph(spec), feeds, ['hidden'])).hidden)
  }

  return {
    blocks: spec.blocks,
    hidden: spec.hidden,
    vocabulary: spec.vocabulary,
    isTied: spec.tied,
    weights: weights ?? readBlock,
    embed: (window, table) => embedAt(window, 0, 1, table),
    embedAt,
    async run(block, hidden, given) {
      return floats((await runBlock(block, hidden, given, {}, { past: 0 }, ['out'])).out)
    },
    async runTapped(block, hidden, given) {
      const result = await runBlock(block, hidden, given, { taps: allTaps }, { past: 0 }, ['out', ...allTaps.map((tap) => `tap.${tap}`)])
      const taps = { qkv: floats(result['tap.qkv']), o: floats(result['tap.o']), mlp: floats(result['tap.mlp']), down: floats(result['tap.down']) }
      return { hidden: floats(result.out), taps }
    },
    async tap(block, hidden, given, tap) {
      return floats((await runBlock(block, hidden, given, { until: tap }, { past: 0 }, [`tap.${tap}`]))[`tap.${tap}`])
    },
    async runCached(block, hidden, given, cache, { length, count = 1 } = {}) {
      const { capacity, length: past } = cache
      const shape = [count, spec.kvHeads, capacity, spec.headSize]
      const more = { past_k: float(cache.keys, ...shape), past_v: float(cache.values, ...shape) }
      const result = await runBlock(block, hidden, given, { cache: true }, { past, length, capacity, count, more }, ['out', 'new_k', 'new_v'])
      const own = withPositions(cache, { rows: count * spec.kvHeads, size: spec.headSize }, { keys: floats(result.new_k), values: floats(result.new_v) })
      return { hidden: floats(result.out), cache: own }
    },
    async finish(hidden) {
      if (!spec.norm.final) return hidden
      const feeds = { hidden: float(hidden, hidden.length / spec.hidden, spec.hidden), ...(await vectors(null, (name) => name.startsWith('final_norm'))) }
      return floats((await run('norm', () => headGraph(spec, { part: 'norm' }), feeds, ['normed'])).normed)
    },
    async logits(finished, head, place) {
      const rows = finished.length / spec.hidden
      const slice = async (weight: Float32Array): Promise<Float32Array> => {
        const width = weight.length / spec.hidden
        const places = place?.length === rows * width ? { logits: float(place, rows, width) } : {}
        const feeds = { hidden: float(finished, rows, spec.hidden), head: float(weight, width, spec.hidden) }
        return floats((await run('logits', () => headGraph(spec, { part: 'logits' }), feeds, ['logits'], places)).logits)
      }
      if (head !== undefined) return slice(head)
      let all: Float32Array | undefined
      for await (const { first, slice: weight } of tables.headSlices()) {
        const part = await slice(weight)
        const width = part.length / rows
        if (width === spec.vocabulary) return part
        all ??= new Float32Array(rows * spec.vocabulary)
        for (let row = 0; row < rows; row++) all.set(part.subarray(row * width, (row + 1) * width), row * spec.vocabulary + first)
      }
      return all ?? new Float32Array()
    },
    dispose() {
      for (const made of sessions.values()) void made.then((opened) => opened.dispose(), () => undefined)
      sessions.clear()
      extras.clear()
      tables.release()
    },
  }
}
