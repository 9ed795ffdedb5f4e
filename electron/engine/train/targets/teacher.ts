/**
 * @file The teacher's pass: the original checkpoint streamed block by block over the windows whose targets are not there yet, once for
 * every group of windows whose states fit their share of memory. One block's weights are resident; hidden states are parked between blocks.
 */
import { runtime } from '../../../../kernels/runtime.ts'
import { kernels, type Tensor } from '../../../../kernels/kernels.ts'
import type { Context } from '../../../contract/events.ts'
import type { Park } from '../../calibrate/runner.ts'
import { createBuilder } from '../../graph/builder.ts'
import { linear, norm, softCap } from '../../graph/decoder/layers.ts'
import type { DecoderSpec } from '../../graph/decoder/spec.ts'
import { encodeModel } from '../../graph/encode.ts'
import type { Graph } from '../../graph/graph.ts'
import { beginStage, type Progress } from '../../job/progress.ts'
import type { DecoderModel } from '../../session/model.ts'
import { openProgram, type Program } from '../../session/program.ts'
import type { TargetKind } from '../objectives/objective.ts'
import { inGroups, type TrainingWindow } from '../window.ts'
import type { TargetStore } from './store.ts'
import { windowKey } from './targets.ts'

export interface TeacherTask {
  readonly teacher: DecoderModel
  readonly store: TargetStore
  readonly kind: TargetKind
  /** Tokens kept at each position of top targets. */
  readonly top: number
  readonly park: (windows: number) => Park
  /** Most bytes of states of windows that go through the model together; at least one window does. */
  readonly stateBytes?: number
  readonly threads?: number | undefined
}

/** Logits of the teacher held at once. */
const LOGIT_BYTES = 16 << 20
/** Largest embedding that is kept in memory for the pass; of larger ones rows are read as windows need them. */
const TABLE_BYTES = 64 << 20
/** States of the windows that go through the model together: weights are read once for each such group. */
const STATE_BYTES = 128 << 20
/** Least probability of the tokens outside of the top: float32 has no digits below it. */
const REST_MIN = 1e-6

/** hidden [rows, hidden] → log-probabilities of the k most likely tokens, the tokens, and the log of the remaining probability. */
export function topGraph(spec: DecoderSpec, k: number): Graph {
  const b = createBuilder()
  const hidden = b.input('hidden', 'float32', ['rows', spec.hidden])
  const finished = spec.norm.final ? norm(b, spec, hidden, 'final_norm') : hidden
  const logits = softCap(b, linear(b, finished, { name: 'head', shape: ['vocabulary', spec.hidden], bias: false }), spec.logitCap)
  const all = b.one('LogSoftmax', [logits], { axis: { int: -1 } })
  const [log, tokens] = b.node('TopK', [all, b.ints([k])], { axis: { int: -1 } }, { outputs: ['log', 'tokens'] })
  const kept = b.one('ReduceSum', [b.one('Exp', [log]), b.ints([-1])], { keepdims: { int: 0 } })
  const rest = b.one('Log', [b.one('Clip', [b.one('Sub', [b.floats(1), kept]), b.floats(REST_MIN), ''])], {}, { outputs: ['rest'] })
  b.output(log, 'float32', ['rows', k])
  b.output(tokens, 'int64', ['rows', k])
  b.output(rest, 'float32', ['rows'])
  return b.build('top')
}

function floats({ data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data
  throw new Error('an output that is not float32')
}

/** Windows without targets, each once. */
async function missing({ store, kind, teacher: { spec } }: TeacherTask, windows: readonly TrainingWindow[]): Promise<TrainingWindow[]> {
  const distinct = new Map(windows.map((window) => [windowKey(window), window]))
  const wanted: TrainingWindow[] = []
  for (const window of distinct.values()) {
    const first = kind === 'blocks' ? 0 : spec.blocks - 1
    let isThere = kind === 'top' ? await store.hasTop(window) : true
    for (let block = first; kind !== 'top' && block < spec.blocks; block++) isThere &&= await store.hasState(window, block)
    if (!isThere) wanted.push(window)
  }
  return wanted
}

/** Keeps the most likely tokens of every window whose last hidden states are parked. */
async function keepTop({ teacher, store, top: k, threads }: TeacherTask, windows: readonly TrainingWindow[], hidden: Park, { signal }: Context): Promise<void> {
  const { spec } = teacher
  const session = await runtime().createSession(encodeModel(topGraph(spec, k)), threads === undefined ? {} : { threads })
  try {
    const head = await teacher.readWeight(spec.tied ? 'embedding' : 'head')
    const small = Object.entries(await teacher.readExtras(null)).filter(([name]) => name.startsWith('final_norm'))
    const fixed = { head: { type: 'float32', dims: [spec.vocabulary, spec.hidden], data: head }, ...Object.fromEntries(small.map(([name, data]) => [name, { type: 'float32', dims: [data.length], data }])) } as const
    const step = Math.max(1, Math.floor(LOGIT_BYTES / 4 / spec.vocabulary))
    for (const [index, window] of windows.entries()) {
      const state = await hidden.get(index)
      const count = window.tokens.length
      const kept = { k, tokens: new Int32Array(count * k), log: new Float32Array(count * k), rest: new Float32Array(count) }
      for (let first = 0; first < count; first += step) {
        const last = Math.min(count, first + step)
        const feeds = { ...fixed, hidden: { type: 'float32', dims: [last - first, spec.hidden], data: state.subarray(first * spec.hidden, last * spec.hidden) } } as const
        const { log, tokens, rest } = await session.run(feeds, { log: null, tokens: null, rest: null }, signal)
        kept.log.set(floats(log), first * k)
        kept.rest.set(floats(rest), first)
        kept.tokens.set(Int32Array.from(tokens.data, Number), first * k)
      }
      await store.writeTop(window, kept)
    }
  } finally {
    session.dispose()
  }
}

/** Windows whose states fit in `bytes`, at least one. */
function together(windows: readonly TrainingWindow[], hidden: number, bytes: number): number {
  const longest = Math.max(...windows.map(({ tokens }) => tokens.length))
  return Math.max(1, Math.floor(bytes / (longest * hidden * Float32Array.BYTES_PER_ELEMENT)))
}

async function stream(task: TeacherTask, program: Program, windows: readonly TrainingWindow[], hidden: Park, progress: Progress, context: Context): Promise<void> {
  const { kind, store } = task
  for (const [index, { tokens }] of windows.entries()) await hidden.set(index, await program.embed(tokens))
  for (let block = 0; block < program.blocks; block++) {
    const weights = await program.weights(block)
    for (const [index, window] of windows.entries()) {
      context.signal.throwIfAborted()
      const output = await program.run(block, await hidden.get(index), weights)
      await hidden.set(index, output)
      if (kind === 'blocks' || (kind === 'last' && block === program.blocks - 1)) await store.writeState(window, block, output)
      progress.advance(`teacher, block ${block + 1}`)
    }
    await kernels().release(Object.values(weights))
  }
  if (kind === 'top') await keepTop(task, windows, hidden, context)
}

/** Makes the targets of windows that have none yet. */
export async function makeTargets(task: TeacherTask, windows: readonly TrainingWindow[], context: Context): Promise<void> {
  const wanted = await missing(task, windows)
  if (wanted.length === 0) return
  const program = openProgram(task.teacher, { threads: task.threads, signal: context.signal, tableBytes: TABLE_BYTES })
  const progress = beginStage(context, 'calibrate', program.blocks * wanted.length)
  try {
    for (const group of inGroups(wanted, together(wanted, program.hidden, task.stateBytes ?? STATE_BYTES))) {
      const hidden = task.park(group.length)
      await stream(task, program, group, hidden, progress, context).finally(() => hidden.dispose())
    }
  } finally {
    program.dispose()
  }
}
