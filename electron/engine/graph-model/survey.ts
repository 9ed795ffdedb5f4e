/**
 * @file What one sample tells of a graph: the shapes of what its layers read and make, and how long the machine takes to open
 * a session and to run it. Predictions and limits rest on it; no result does.
 */
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Context } from '../../contract/events.ts'
import { openGraph } from '../graph/open.ts'
import { prune } from '../graph/prune.ts'
import type { GraphSample } from './data.ts'
import { activationType } from './inputs.ts'
import { isRecurrentOperator, type GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { runSample } from './probe.ts'

export interface Survey {
  /** Shape and type of a value that a layer reads or makes, and of what the graph is fed. */
  readonly dims: ReadonlyMap<string, readonly number[]>
  readonly types: ReadonlyMap<string, Tensor['type']>
  /** Bytes of those that are computed, for the sample. */
  readonly activationBytes: number
  /** Milliseconds of a session opened, and of a sample run. */
  readonly openMs: number
  readonly passMs: number
}

/** Runs of the sample, of which the fastest counts: the first also lays out the memory. */
const runs = 5

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const begun = performance.now()
  const value = await work()
  return [value, performance.now() - begun]
}

/** Runs the sample through the graph, with all that layers read and make as outputs. */
export async function surveyGraph({ graph, layers }: Pick<GraphModel, 'graph' | 'layers'>, { feeds }: Pick<GraphSample, 'feeds'>, { signal }: Pick<Context, 'signal'>): Promise<Survey> {
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const wanted = new Map(layers.flatMap((layer) => layer.sites.filter(({ operator }) => operator !== 'other').flatMap(({ operator, input, weight, node }) => [...node.inputs, ...node.outputs].flatMap((name) =>
    (name === '' || name === weight || fed.has(name) || graph.initializers.has(name) ? [] : [[name, graph.values.get(name)?.type ?? (operator === 'Gather' && name === input ? 'int64' : activationType(layer))] as const])))))
  const outputs = wanted.size === 0 ? graph.outputs : [...wanted].map(([name, type]) => ({ name, type, shape: null }))
  const [session, openMs] = await timed(() => openGraph(prune({ ...graph, outputs }), { optimization: 'basic' }))
  try {
    let passMs = Infinity
    let found: Awaited<ReturnType<typeof runSample>> = {}
    for (let run = 0; run < runs; run++) {
      const [values, ms] = await timed(() => runSample(session, feeds, session.outputNames, signal))
      passMs = Math.min(passMs, ms)
      found = values
    }
    const values = [...Object.entries(feeds), ...Object.entries(found)]
    return {
      dims: new Map(values.map(([name, { dims }]) => [name, dims])), types: new Map(values.map(([name, { type }]) => [name, type])),
      activationBytes: Object.values(found).reduce((sum, { data }) => sum + data.byteLength, 0), openMs, passMs,
    }
  } finally {
    session.dispose()
  }
}

/** How often each weight of the layer is multiplied with in the surveyed sample: output places of a convolution, rows of a product, never of a table. */
export function positionsOf({ sites }: GraphLayer, { dims }: Pick<Survey, 'dims'>): number {
  return sites.reduce((sum, { operator, input, node: { outputs: [output = ''] } }) => {
    if (operator === 'Gather' || operator === 'other') return sum
    const [made = [], read = []] = [dims.get(output), dims.get(input)]
    const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)
    // Every input place of a transposed convolution meets every tap; of the others every output place does.
    if (isRecurrentOperator(operator)) return sum + product(read.slice(0, -1))
    if (operator === 'ConvTranspose') return sum + product(read) / (read[1] ?? 1)
    return sum + (operator === 'Conv' ? product(made) / (made[1] ?? 1) : product(made.slice(0, -1)))
  }, 0)
}
