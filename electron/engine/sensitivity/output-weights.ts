/**
 * @file How much the loss minds an error at each output of a layer: ½·P·E[Σ_t g_tr²], g the loss's gradient at output r for row t of the
 * activation, P the predictions of a sample. With it Σ_r weight_r·E[Δy_r²] is the Fisher information of the outputs (the score of NVIDIA
 * Model Optimizer's auto_quantize, with g² and Δy² taken as independent): the Kronecker factor of the gradients, its diagonal.
 * No gradient of a weight is made, so a pass costs two forwards, not three.
 */
import type { Context } from '../../contract/events.ts'
import type { Stage } from '../autodiff/stage.ts'
import { createStream } from '../autodiff/stream.ts'
import { beginStage } from '../job/progress.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph, Node } from '../graph/graph.ts'
import type { DifferentiableModel, Place } from './differentiable.ts'
import { estimateOf } from './gradients/draws.ts'
import { samplesTogether } from './gradients/sample-gradients.ts'

export interface OutputWeights {
  /** One weight for each output of a product, [out]; null where the layer is only looked up. */
  readonly rows: Float64Array | null
  /** One weight for each column of a table that is looked up, [in]; null for a product. */
  readonly columns: Float64Array | null
  /** Standard error of the weights' sum, as a share of it. */
  readonly relative: number
}

type Kind = 'rows' | 'columns'

/** The value that a weight's one reader makes, and which axis of it counts the layer's outputs; null where there is no such reader. */
function readerOf(graph: Graph, { input }: Place): { readonly value: string; readonly axis: 'last' | 'channel'; readonly kind: Kind } | null {
  const readers = graph.nodes.filter((node) => node.inputs.includes(input))
  const [reader] = readers
  if (readers.length !== 1) return null
  const value = reader.outputs[0]
  const kinds: Readonly<Record<string, ReturnType<typeof readerOf>>> = {
    Gemm: { value, axis: 'last', kind: 'rows' }, MatMul: { value, axis: 'last', kind: 'rows' },
    Conv: { value, axis: 'channel', kind: 'rows' }, Gather: { value, axis: 'last', kind: 'columns' },
  }
  return isWeightOf(reader, input) ? kinds[reader.op] ?? null : null
}

function isWeightOf({ op, inputs }: Node, input: string): boolean {
  return inputs.indexOf(input) === (op === 'Gather' ? 0 : 1)
}

/** Adds g² of [..., out] or [batch, out, …] to `sums`; their total. */
function addSquares({ data, dims }: Tensor, axis: 'last' | 'channel', sums: Float64Array): number {
  const inner = axis === 'last' ? 1 : dims.slice(2).reduce((a, b) => a * b, 1)
  let total = 0
  for (let at = 0; at < data.length; at++) {
    const square = Number(data[at]) ** 2
    sums[Math.floor(at / inner) % sums.length] += square
    total += square
  }
  return total
}

export interface Reader {
  readonly layer: string
  readonly axis: 'last' | 'channel'
  readonly kind: Kind
}

/** The model's stages, differentiated with respect to the outputs of its layers instead of their weights; whose output a value of a stage is. */
export function atOutputs(model: DifferentiableModel): { readonly stages: readonly Stage[]; readonly readerOf: (stage: string, value: string) => Reader | undefined } {
  const readers = new Map<string, Reader>()
  const stages = model.stages.map((stage) => {
    const wrt: string[] = []
    for (const { name, places } of model.layers) for (const place of places.filter((one) => one.stage === stage.name)) {
      const reader = readerOf(stage.graph, place)
      if (reader === null) continue
      wrt.push(reader.value)
      readers.set(`${stage.name}/${reader.value}`, { layer: name, axis: reader.axis, kind: reader.kind })
    }
    return { ...stage, wrt }
  })
  return { stages, readerOf: (stage, value) => readers.get(`${stage}/${value}`) }
}

/** Weights by layer; layers whose reader is none of Gemm, MatMul, Conv and Gather are missing. */
export async function outputWeights(model: DifferentiableModel, context: Context): Promise<ReadonlyMap<string, OutputWeights>> {
  const { stages, readerOf: readerAt } = atOutputs(model)
  const sums = new Map<string, Record<Kind, Float64Array | null> & { totals: number[] }>()
  const shapes = new Map(model.layers.map(({ name, shape }) => [name, shape]))
  const stream = createStream(stages, { loss: model.loss, park: model.park, ...(model.session && { session: model.session }) })
  const progress = beginStage(context, 'measure', model.samples.length * stages.filter(({ wrt }) => wrt.length > 0).length)
  const together = samplesTogether(model)
  const scale = (0.5 * model.predictions) / model.samples.length
  try {
    for (let first = 0; first < model.samples.length; first += together) {
      await stream.gradient(model.samples.slice(first, first + together), {
        signal: context.signal,
        take({ stage, sample, gradients }) {
          for (const [value, gradient] of Object.entries(gradients)) {
            const reader = readerAt(stage.name, value)
            const [rows = 0, cols = 0] = shapes.get(reader?.layer ?? '') ?? []
            if (reader === undefined) continue
            const held = sums.get(reader.layer) ?? { rows: null, columns: null, totals: [] }
            sums.set(reader.layer, held)
            const own = (held[reader.kind] ??= new Float64Array(reader.kind === 'rows' ? rows : cols))
            held.totals[first + sample] = (held.totals[first + sample] ?? 0) + addSquares(gradient, reader.axis, own)
          }
          progress.advance(`${stage.name}, sample ${first + sample + 1} of ${model.samples.length}`)
        },
      })
    }
  } finally {
    stream.dispose()
  }
  return new Map([...sums].map(([layer, { rows, columns, totals }]) => {
    const { value, stderr } = estimateOf(totals)
    return [layer, { rows: rows?.map((sum) => sum * scale) ?? null, columns: columns?.map((sum) => sum * scale) ?? null, relative: value > 0 ? stderr / value : 0 }]
  }))
}
