/** @file The engine as its hosts call it: the methods of contract/engine.ts, over plain data. */
import type { z } from 'zod'
import { EvaluateInput, GenerateInput, MeasureInput, type EngineMethod, type engineMethods } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import type { Context } from '../contract/events.ts'
import { Recipe } from '../contract/recipe.ts'
import type { Evaluation } from '../contract/report.ts'
import { generate } from './evaluate/generate.ts'
import { openEvaluable, openGenerator } from './evaluate/open.ts'
import { createPace } from './evaluate/pace.ts'
import { evaluate } from './evaluate/perplexity.ts'
import { adapt } from './export/adapt.ts'
import { evaluateGraphFile } from './graph-model/evaluate.ts'
import { previewGraphData } from './graph-model/data-preview.ts'
import { isLoneGraph } from './graph-model/file.ts'
import { inspectGraph } from './graph-model/inspect.ts'
import { measureGraphFile } from './graph-model/measure.ts'
import { isGraphFile, openGraphModel } from './graph-model/open.ts'
import { planGraph } from './graph-model/plan.ts'
import { dataOverlap, previewData } from './io/data-preview.ts'
import { readTexts, tokenWindows } from './io/data.ts'
import { openTokenizer } from './io/tokenizer.ts'
import { planModel } from './plan-model.ts'
import { predictMeasure } from './predict-measure.ts'
import { run } from './run.ts'
import { viewCell } from './sensitivity/cell.ts'
import { measure } from './sensitivity/measure.ts'
import { isMetric } from './sensitivity/metrics/metrics.ts'
import { summarize } from './session/inspect.ts'
import { train } from './train/train.ts'
import { createWorkspace } from './workspace.ts'

export type Engine = { readonly [M in EngineMethod]: (input: z.input<(typeof engineMethods)[M]['input']>, context: Context) => Promise<z.infer<(typeof engineMethods)[M]['output']>> }

async function evaluateFile(input: z.input<typeof EvaluateInput>, context: Context): Promise<Evaluation> {
  if (input.reference !== undefined && isGraphFile(input.model) && isGraphFile(input.reference)) return evaluateGraphFile(input, context)
  if (await isLoneGraph(input.model)) throw new AppError('bad-request', `${input.model}: found an ONNX graph and ${input.reference === undefined ? 'no reference' : `the reference ${input.reference}`}, expected its original graph to compare its outputs with`, { hint: 'Give the original .onnx file with --reference, and samples of its inputs with --text.' })
  const { model, reference, adapter, text, length, windows: most, memoryBytes } = EvaluateInput.parse(input)
  const tokenizer = await openTokenizer(reference ?? model)
  const { windows } = await tokenWindows(tokenizer, readTexts(text), { length, signal: context.signal })
  const teacher = reference === undefined ? undefined : await openEvaluable(reference, { memoryBytes }, context)
  try {
    const subject = await openEvaluable(model, { memoryBytes, elements: teacher?.elements, adapter }, context)
    try {
      return await evaluate({ model: subject, ...(teacher && { reference: teacher }), windows: windows.slice(0, most) }, context)
    } finally {
      await subject.close()
    }
  } finally {
    await teacher?.close()
  }
}

/** Refuses a graph where text is wanted. */
async function refuseGraph(model: string): Promise<void> {
  if (await isLoneGraph(model)) throw new AppError('bad-request', `${model}: found an ONNX graph, expected a language model`, { hint: 'Give a Hugging Face folder, a GGUF file or an ONNX folder with genai_config.json; graphs are measured, compressed and evaluated.' })
}

/** The engine. Its only state are the models it keeps open for the next short call; long methods open what they need. */
export function createEngine(): Engine & { readonly close: () => Promise<void> } {
  const workspace = createWorkspace()
  return {
    close: () => workspace.close(),
    inspect: ({ model }, context) => isGraphFile(model) ? inspectGraph(model) : workspace.withModel(model, context, (opened) => Promise.resolve(summarize(opened.model))),
    previewData: ({ model, data, length = 512, graph }, { signal }) => isGraphFile(model) ? previewGraphData(model, data, { ...graph, length }, signal) : workspace.withTokenizer(model, (tokenizer) => previewData(data, tokenizer, length, signal)),
    overlap: ({ first, second }, { signal }) => dataOverlap(first, second, signal),
    async cell({ model, layer, option, method = 'search' }, context) {
      if (isGraphFile(model)) return viewCell(await openGraphModel(model), layer, option, method)
      return workspace.withModel(model, context, (opened) => viewCell(opened.model, layer, option, method))
    },
    measure: (input, context) => (isGraphFile(input.model) ? measureGraphFile(input, context) : measure(input, context)),
    async predictMeasure(input, context) {
      const { model, data, metric, rounder, target, correction, samples, length } = MeasureInput.omit({ out: true }).parse(input)
      if (isGraphFile(model) || target === undefined || !isMetric(metric)) return { elapsedMs: null }
      const machine = await workspace.machine()
      return workspace.withModel(model, context, (opened) => Promise.resolve({ elapsedMs: predictMeasure(opened.model, { windows: data === undefined ? 0 : samples, length, target, metric, rounder, isCorrected: correction !== 'none' }, machine) }))
    },
    plan: (input, context) => (isGraphFile(input.model) ? planGraph(workspace, input, context) : planModel(workspace, input, context)),
    run: (input, context) => run({ ...input, recipe: Recipe.parse(input.recipe) }, context),
    async train(input, context) {
      await refuseGraph(input.model)
      return train(input, context)
    },
    evaluate: evaluateFile,
    adapt,
    async generate(input, context) {
      const { model, prompt, tokens, temperature, topP, seed, adapter } = GenerateInput.parse(input)
      await refuseGraph(model)
      const pace = createPace()
      const { generator, tokenizer, close } = await openGenerator(model, context, { adapter })
      try {
        const ids = await tokenizer.encode(prompt, context.signal)
        const start = tokenizer.addsBos && tokenizer.bos !== null ? Int32Array.of(tokenizer.bos, ...ids) : ids
        const made = await generate(generator, start, { tokens, temperature, topP, seed, stop: tokenizer.eos === null ? [] : [tokenizer.eos] }, pace.mark, context)
        return { text: tokenizer.decode(made), tokens: made.length, ...pace.numbers() }
      } finally {
        await close()
      }
    },
  }
}
