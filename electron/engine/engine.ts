/** @file The engine as its hosts call it: the methods of contract/engine.ts, over plain data. */
import type { z } from 'zod'
import { EvaluateInput, GenerateInput, PlanInput, type EngineMethod, type engineMethods, type Plan } from '../contract/engine.ts'
import type { Context } from '../contract/events.ts'
import { Recipe } from '../contract/recipe.ts'
import type { Evaluation } from '../contract/report.ts'
import type { Target } from '../contract/options.ts'
import { plan as solvePlan } from './budget/plan.ts'
import { generate } from './evaluate/generate.ts'
import { openEvaluable, openGenerator } from './evaluate/open.ts'
import { evaluate } from './evaluate/perplexity.ts'
import { adapt } from './export/adapt.ts'
import { exporters } from './export/exporters.ts'
import { provenanceOf } from './export/exporter.ts'
import { dataOverlap, previewData } from './io/data-preview.ts'
import { readTexts, tokenWindows } from './io/data.ts'
import { openTokenizer } from './io/tokenizer.ts'
import { predictRun } from './predict.ts'
import { run } from './run.ts'
import { viewCell } from './sensitivity/cell.ts'
import { measure } from './sensitivity/measure.ts'
import { summarize } from './session/inspect.ts'
import { defaultParkedBytes } from './session/parking.ts'
import { tool } from './tool.ts'
import { train } from './train/train.ts'
import { createWorkspace, type Workspace } from './workspace.ts'

export type Engine = { readonly [M in EngineMethod]: (input: z.input<(typeof engineMethods)[M]['input']>, context: Context) => Promise<z.infer<(typeof engineMethods)[M]['output']>> }

/** Positions scored after a run, for the prediction: those of the bundled validation text. */
const evaluationTokens = 25_000

async function plan(workspace: Workspace, input: PlanInput, context: Context): Promise<Plan> {
  const parsed = PlanInput.parse(input)
  const { measured, target, budget, pins, correction, adapterStorage, training } = parsed
  return workspace.withModel(parsed.model, context, async (opened) => {
    const { model } = opened
    const tokenizer = await opened.tokenizer()
    const { path, sha256, samples = 0, tokens = 0, seed = 0 } = measured.data
    const length = samples > 0 ? Math.round(tokens / samples) : 0
    const provenance = provenanceOf({
      tool, model: { path: parsed.model, sha256: measured.model.sha256 }, data: samples > 0 ? { path, sha256, samples, length } : null, target, budget, pins, metric: measured.metric,
      rounder: measured.rounder === 'nearest' || measured.rounder === 'search' ? measured.rounder : 'gptq', correction, ...(correction !== 'none' && { adapterStorage }), ...(training && { training }), seed,
    })
    const source = { model, tokenizer, provenance }
    const predicted = predictRun(model, { windows: samples, length, evaluationTokens, rounder: provenance.rounder, metric: measured.metric, parkedMost: defaultParkedBytes() }, await workspace.machine())
    const layerBytes = (choice: readonly { bytes: number }[]): number => choice.reduce((sum, { bytes }) => sum + bytes, 0)
    // Where the search for the size begins: the same whatever the budget and the pins, so that it is known after the first plan.
    const fixedBytes = (wanted: Target): Promise<number> => opened.remember(JSON.stringify([wanted, measured.data, provenance.rounder, correction]), async () => {
      const choice = model.layers.map(({ name, shape: [rows, cols] }) => ({ name, option: 'F16', rank: 0, bytes: rows * cols * 2, predictedLoss: 0 }))
      const plain = { ...source, provenance: { ...provenance, budget: { kind: 'ratio' as const, value: 1 }, pins: {} } }
      return (await exporters[wanted].size(plain, choice)) - layerBytes(choice)
    })
    return solvePlan(parsed, {
      tool, elements: model.elements, seed, curve: workspace.curve, fixedBytes, fileBytes: (wanted, choice) => exporters[wanted].size(source, choice), predict: () => predicted,
    }, context)
  })
}

async function evaluateFile(input: z.input<typeof EvaluateInput>, context: Context): Promise<Evaluation> {
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

/** The engine. Its only state are the models it keeps open for the next short call; long methods open what they need. */
export function createEngine(): Engine & { readonly close: () => Promise<void> } {
  const workspace = createWorkspace()
  return {
    close: () => workspace.close(),
    inspect: ({ model }, context) => workspace.withModel(model, context, (opened) => Promise.resolve(summarize(opened.model))),
    previewData: ({ model, data, length = 512 }, { signal }) => workspace.withTokenizer(model, (tokenizer) => previewData(data, tokenizer, length, signal)),
    overlap: ({ first, second }, { signal }) => dataOverlap(first, second, signal),
    cell: ({ model, layer, option, method = 'search' }, context) => workspace.withModel(model, context, (opened) => viewCell(opened.model, layer, option, method)),
    measure,
    plan: (input, context) => plan(workspace, input, context),
    run: (input, context) => run({ ...input, recipe: Recipe.parse(input.recipe) }, context),
    train,
    evaluate: evaluateFile,
    adapt,
    async generate(input, context) {
      const { model, prompt, tokens, temperature, topP, seed, adapter } = GenerateInput.parse(input)
      const { generator, tokenizer, close } = await openGenerator(model, context, { adapter })
      try {
        const ids = await tokenizer.encode(prompt, context.signal)
        const start = tokenizer.addsBos && tokenizer.bos !== null ? Int32Array.of(tokenizer.bos, ...ids) : ids
        const begun = performance.now()
        const made = await generate(generator, start, { tokens, temperature, topP, seed, stop: tokenizer.eos === null ? [] : [tokenizer.eos] }, () => undefined, context)
        return { text: tokenizer.decode(made), tokens: made.length, tokensPerSecond: made.length / ((performance.now() - begun) / 1000) }
      } finally {
        await close()
      }
    },
  }
}
