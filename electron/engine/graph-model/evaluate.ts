/** @file An exported ONNX graph against the original, both in stock ONNX Runtime, over samples: SQNR, cosine and agreement of every output. */
import { stat } from 'node:fs/promises'
import type { EvaluateInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { OutputQuality } from '../../contract/graph.ts'
import type { Evaluation } from '../../contract/report.ts'
import { openGraph } from '../graph/open.ts'
import { beginStage } from '../job/progress.ts'
import { runtime } from '../../../kernels/runtime.ts'
import { classOutputs } from './classes.ts'
import { createComparison } from './compare.ts'
import { openHeldOut, type GraphSample } from './data.ts'
import { openGraphModel, type GraphModel } from './open.ts'
import { runSample } from './probe.ts'

/** Runs both graphs on every sample and compares their outputs. `file` is opened by the runtime itself, as its user will. */
export async function compareGraphs(original: GraphModel, file: string, samples: readonly GraphSample[], context: Context): Promise<OutputQuality[]> {
  const names = original.graph.outputs.map(({ name }) => name)
  const comparison = createComparison(classOutputs(original.graph))
  const progress = beginStage(context, 'evaluate', samples.length)
  const reference = await openGraph(original.graph)
  try {
    const subject = await runtime().createSession(file, {})
    try {
      const missing = names.find((name) => !subject.outputNames.includes(name))
      if (missing !== undefined) throw new AppError('bad-request', `${file}: found outputs ${subject.outputNames.join(', ')}, expected '${missing}' among them, as in ${original.path}`, { hint: 'Compare a model with the one it was made from.' })
      for (const [index, { feeds }] of samples.entries()) {
        await comparison.add(await runSample(reference, feeds, names, context.signal), await runSample(subject, feeds, names, context.signal))
        progress.advance(`sample ${index + 1}`)
      }
    } finally {
      subject.dispose()
    }
  } finally {
    reference.dispose()
  }
  return comparison.qualities()
}

/** Numbers of the classes for the keys that language models have too: of the first output that holds classes. */
export function classNumbers(outputs: readonly OutputQuality[]): Pick<Evaluation, 'klMean' | 'sameTop'> {
  const classes = outputs.find(({ klMean }) => klMean !== undefined)
  return classes?.klMean === undefined ? {} : { klMean: classes.klMean, ...(classes.sameTop !== undefined && { sameTop: classes.sameTop }) }
}

/** Evaluates a graph against the one it was made from, on all samples of some data (`text`). */
export async function evaluateGraphFile({ model, reference, text: data, length = 512, windows, graph }: EvaluateInput, context: Context): Promise<Evaluation> {
  if (reference === undefined) throw new AppError('bad-request', `${model}: found no --reference, expected the graph it was made from`, { hint: 'A graph is judged by how far its outputs are from the original’s: give that with --reference.' })
  const original = await openGraphModel(reference)
  const samples = await openHeldOut(original, data, { ...graph, samples: windows ?? Infinity, length, seed: 0 }, context)
  const outputs = await compareGraphs(original, model, samples, context)
  const { size: sizeBytes } = await stat(model)
  return { sizeBytes, bitsPerWeight: (sizeBytes * 8) / original.elements, tokens: 0, ...classNumbers(outputs), outputs, samples: samples.length }
}
