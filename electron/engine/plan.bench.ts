/**
 * @file How long the window waits for a plan: a whole call of the engine over a model of 296 layers with 10 formats each, with
 * what crosses the process border copied and parsed as it is there. The first call opens the model; the others find it open.
 */
import path from 'node:path'
import { writeSyntheticModel } from '../../e2e/synthetic-model.ts'
import { engineMethods, type PlanInput } from '../contract/engine.ts'
import { silent } from '../contract/events.ts'
import type { Target } from '../contract/options.ts'
import type { Sensitivity } from '../contract/sensitivity.ts'
import { optionBytes } from './budget/option-bytes.ts'
import { createEngine } from './engine.ts'
import { withFolder } from './io/temporary-folder.ts'

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
/** 42 blocks of seven layers, the embedding and the head. */
const shape = { blocks: 42, hidden: 256, intermediate: 768, heads: 4, kvHeads: 4, vocabulary: 32_000 }
const formats: Readonly<Record<Target, readonly string[]>> = {
  gguf: ['Q2_K', 'Q3_K', 'IQ4_XS', 'Q4_K', 'Q4_0', 'Q5_K', 'Q5_0', 'Q6_K', 'Q8_0', 'F16'],
  onnx: ['int2-g32', 'int2-g64', 'int2-g128', 'int4-g32', 'int4-g64', 'int4-g128', 'int4-g64-sym', 'int8-g64', 'int8-g128', 'F16'],
  safetensors: ['int2-g32', 'int2-g64', 'int3-g64', 'int3-g128', 'int4-g32', 'int4-g64', 'int4-g128', 'int8-g64', 'int8-g128', 'F16'],
}
const calls = 8

export async function bench(): Promise<readonly Record<string, unknown>[]> {
  return withFolder(async (folder) => {
    const model = path.join(folder, 'model')
    await writeSyntheticModel(model, shape, sample)
    const engine = createEngine()
    const results: Record<string, unknown>[] = []
    const { layers } = await engine.inspect({ model }, silent)
    for (const target of ['gguf', 'onnx', 'safetensors'] as const) {
      const measured = sensitivity(layers, target)
      const times: number[] = []
      const cpu: number[] = []
      for (let call = 0; call < calls; call++) {
        const input: PlanInput = structuredClone({ model, measured, target, budget: { kind: 'ratio', value: 0.6 + call / 100 } })
        const [begun, used] = [performance.now(), process.cpuUsage()]
        engineMethods.plan.output.parse(structuredClone(await engine.plan(input, silent)))
        times.push(performance.now() - begun)
        const { user, system } = process.cpuUsage(used)
        cpu.push((user + system) / 1000)
      }
      const [first = NaN, ...again] = times
      again.sort((a, b) => a - b)
      results.push({ what: 'plan', target, layers: layers.length, options: formats[target].length, firstMs: Math.round(first), bestMs: Math.round(again[0] ?? NaN), bestCpuMs: Math.round(Math.min(...cpu)), medianMs: Math.round(again[again.length >> 1] ?? NaN), worstMs: Math.round(again.at(-1) ?? NaN) })
    }
    await engine.close()
    return results
  })
}

type Layers = Awaited<ReturnType<ReturnType<typeof createEngine>['inspect']>>['layers']

/** A map of these layers as `measure` writes it: losses fall by four with each bit. */
function sensitivity(layers: Layers, target: Target): Sensitivity {
  return {
    version: 1, tool: 'bench', model: { path: 'm', sha256: 'a' }, data: { path: 'd', sha256: 'b', tokens: 4096, samples: 8 }, metric: 'layer-output', rounder: 'nearest', complete: true,
    layers: layers.map(({ name, kind, shape: size, elements, block, ties }, at) => {
      const options = formats[target].flatMap((format) => {
        const found = optionBytes(target, { name, kind, shape: size }, format)
        return 'bytes' in found ? [[format, { bytes: found.bytes, value: elements * 4 ** ((-8 * found.bytes) / elements) * (1 + ((at * 7919) % 97)), stderr: 0 }] as const] : []
      })
      return { name, kind, shape: size, elements, block, ties, excluded: {}, options: Object.fromEntries(options) }
    }),
  }
}
