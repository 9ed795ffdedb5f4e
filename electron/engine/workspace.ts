/**
 * @file What the engine keeps open between the window's short calls (inspect, preview, plan): models with their tokenizers, the
 * curves of plans, and how fast this machine is. Keyed by what is on disk, so that a changed file is read again.
 */
import { createHash } from 'node:crypto'
import type { Context } from '../contract/events.ts'
import type { Group } from './budget/allocation.ts'
import { paretoCurve, type CurvePoint } from './budget/exact.ts'
import { openModelTokenizer } from './calibrate/calibration.ts'
import { fingerprint } from './io/fingerprint.ts'
import { openTokenizer, type Tokenizer } from './io/tokenizer.ts'
import { measureMachine, type Machine } from './job/machine.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { openPlannedGraph, type OpenedGraph } from './graph-model/opened-graph.ts'
import { openDecoder, type DecoderModel } from './session/model.ts'

/** The open project and one to compare with. */
const mostModels = 2
/** After that long without a question the files are let go. */
const idleMs = 60_000
/** Curves of the last pins and targets: undo finds them again. */
const mostCurves = 24
/** The machine is measured again after this time: the first time may have been a busy one. */
const machineMs = 600_000

export interface Opened {
  readonly model: DecoderModel
  /** Opened when first asked for; checked against the model. */
  readonly tokenizer: () => Promise<Tokenizer>
  /** A number that follows from the model and the key alone: made once while the model stays open. */
  readonly remember: (key: string, make: () => Promise<number>) => Promise<number>
}

export interface Workspace {
  withModel: <R>(source: string, context: Pick<Context, 'signal'>, work: (opened: Opened) => Promise<R>) => Promise<R>
  withGraph: <R>(source: string, work: (opened: OpenedGraph) => Promise<R>) => Promise<R>
  /** The tokenizer alone, for a model that may be of no known architecture. */
  withTokenizer: <R>(source: string, work: (tokenizer: Tokenizer) => Promise<R>) => Promise<R>
  curve: (groups: readonly Group[]) => Promise<readonly CurvePoint[]>
  /** The fastest this machine was seen. */
  machine: () => Promise<Machine>
  close: () => Promise<void>
}

export function createWorkspace(): Workspace {
  const models: Keeper<Opened> = createKeeper({ most: mostModels, idleMs, close: ({ model }) => model.close() })
  const graphs: Keeper<OpenedGraph> = createKeeper({ most: mostModels, idleMs, close: () => Promise.resolve() })
  const tokenizers: Keeper<Tokenizer> = createKeeper({ most: mostModels, idleMs, close: () => Promise.resolve() })
  const curves = new Map<string, Promise<readonly CurvePoint[]>>()
  let measured: { readonly at: number; readonly machine: Promise<Machine> } | undefined

  return {
    async withModel(source, context, work) {
      return models.use(await fingerprint(source), async () => {
        const model = await openDecoder(source, context)
        let tokenizer: Promise<Tokenizer> | undefined
        const known = new Map<string, Promise<number>>()
        return {
          model,
          tokenizer: () => (tokenizer ??= openModelTokenizer(model)),
          remember(key, make) {
            const value = known.get(key) ?? make()
            known.set(key, value)
            return value
          },
        }
      }, work)
    },
    withGraph: async (source, work) => graphs.use(await fingerprint(source), () => openPlannedGraph(source), work),
    withTokenizer: async (source, work) => tokenizers.use(await fingerprint(source), () => openTokenizer(source), work),
    curve(groups) {
      const key = curveKey(groups)
      const curve = curves.get(key) ?? paretoCurve(groups).then(({ points }) => points)
      curves.delete(key)
      curves.set(key, curve)
      for (const old of [...curves.keys()].slice(0, Math.max(0, curves.size - mostCurves))) curves.delete(old)
      return curve
    },
    machine() {
      if (measured === undefined || performance.now() - measured.at > machineMs) {
        const before = measured?.machine
        measured = { at: performance.now(), machine: measureMachine().then(async (now) => { const then = await before; return then && then.flops > now.flops ? then : now }) }
      }
      return measured.machine
    },
    async close() {
      curves.clear()
      await Promise.all([models.close(), graphs.close(), tokenizers.close()])
    },
  }
}

/** A curve follows from costs and losses alone, whatever the layers are called. */
function curveKey(groups: readonly Group[]): string {
  const numbers = Float64Array.from(groups.flatMap(({ options }) => [options.length, ...options.flatMap(({ cost, loss }) => [cost, loss])]))
  return createHash('sha256').update(new Uint8Array(numbers.buffer)).digest('base64')
}
