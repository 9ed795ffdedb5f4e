import { createHash } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runtime } from '../../../kernels/runtime.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Context } from '../../contract/events.ts'
import { Sensitivity } from '../../contract/sensitivity.ts'
import { createEngine } from '../engine.ts'
import { measuredKey, measuredText } from '../export/measured.ts'
import { createBuilder } from '../graph/builder.ts'
import { writeWeightsFile, weightsFileBytes } from '../export/onnx-weights-file.ts'
import { openGraph } from '../graph/open.ts'
import { writeModel } from '../graph/write.ts'
import { toHalves } from '../io/float.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { rounders } from '../quantize/rounders/rounders.ts'
import type { Graph } from '../graph/graph.ts'
import { createComparison } from './compare.ts'
import { collectInputs } from './inputs.ts'
import { openGraphModel } from './open.ts'
import { decodeLayer } from './pack.ts'
import { runSample, weightTensor } from './probe.ts'
import { codecOf, roundLayer, storedColumns } from './round.ts'
import { branching, denseReaders, halfCnn, image, noise, npyBytes, oddTables, piecedRecurrent, positionedEncoder, smallCnn, smallEncoder, smallRecurrent, tokens } from './testing.ts'

const context: Context = { signal: new AbortController().signal, report: () => undefined }

async function outputsOf(file: string | Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = typeof file === 'string' ? await runtime().createSession(file, {}) : await openGraph(file)
  const result = await runSample(session, feeds, session.outputNames)
  session.dispose()
  return { ...result }
}

async function written(folder: string, graph: Graph): Promise<string> {
  const file = path.join(folder, 'model.onnx')
  await writeModel(graph, file)
  return file
}

test('layers of a CNN and of an encoder, ties of convolutions that read one activation, reasons for the rest', () => withFolder(async (folder) => {
  const cnn = await openGraphModel(await written(folder, smallCnn()))
  expect(cnn.layers.map(({ name, kind, shape, groups, ties }) => [name, kind, shape, groups, ties === null ? 0 : 1])).toEqual([
    ['stem', 'conv', [32, 27], 1, 0], ['depthwise', 'conv', [32, 25], 32, 0], ['main', 'conv', [64, 288], 1, 1], ['side', 'conv', [64, 32], 1, 1],
    ['grouped', 'conv', [64, 144], 4, 0], ['up', 'conv', [64, 64], 1, 0], ['hidden', 'matmul', [100, 16], 1, 0], ['classes', 'matmul', [10, 100], 1, 0],
  ])
  expect(cnn.reasons.get('classes.bias')).toMatch(/vector/)
  rmSync(cnn.path)
  const encoder = await openGraphModel(await written(folder, smallEncoder()))
  expect(encoder.layers.map(({ name, kind, shape, layout, sites }) => [name, kind, shape, layout, sites.length])).toEqual([
    ['table', 'matmul', [96, 64], 'out-in', 2], ['up', 'matmul', [100, 64], 'in-out', 1], ['down', 'matmul', [64, 100], 'out-in', 1],
  ])
}))

test('positions that are counted in the graph are seen, though the runtime likes to fuse an embedding', () => withFolder(async (folder) => {
  const { graph, layers } = await openGraphModel(await written(folder, positionedEncoder()))
  const feeds = { input_ids: tokens(1, 6), token_type_ids: { type: 'int64', dims: [1, 6], data: new BigInt64Array(6) } } satisfies Record<string, Tensor>
  const inputs = await collectInputs(graph, layers, [{ feeds, labels: null }], {}, context)
  expect(inputs.get('positions')?.rowUse?.slice(0, 8)).toEqual(Float64Array.from([1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 0, 0]))
  expect(inputs.get('up')?.groups[0].statistics.tokens).toBe(6)
}))

const cnnChoice = { stem: 'int8-channel', depthwise: 'int4-channel', main: 'int4-g32', side: 'int4-g32-sym', grouped: 'int8-channel-sym', up: 'int4-g64', hidden: 'F16', classes: 'int4-g32' }
const encoderChoice = { table: 'int4-g32', up: 'int4-g64-sym', down: 'int4-g64' }

/** Exports a choice, and gives the exported outputs beside those of the original graph with the same weights, dense. */
async function exportedBesideDense(folder: string, source: Graph, choice: Readonly<Record<string, string>>, samples: readonly Readonly<Record<string, Tensor>>[], least = 90): Promise<void> {
  const model = await openGraphModel(await written(folder, source))
  const inputs = await collectInputs(model.graph, model.layers, samples.map((feeds) => ({ feeds, labels: null })), {}, context)
  const blobs = new Map<string, Uint8Array>()
  const dense = new Map(model.graph.initializers)
  for (const layer of model.layers) {
    const option = choice[layer.name]
    const blob = await roundLayer(rounders.gptq, layer, option, await model.readWeight(layer.name), inputs.get(layer.name) ?? null)
    blobs.set(layer.name, blob)
    const { type, dims, data } = await weightTensor(layer, await decodeLayer(layer, codecOf(option), storedColumns(layer, option), blob))
    dense.set(layer.name, { name: layer.name, type, dims, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
  }
  const listed = model.layers.map(({ name }) => ({ name, option: choice[name], rank: 0, bytes: 0, predictedLoss: 0 }))
  const provenance = { tool: 't', model: { path: 'm', sha256: '' }, data: null, target: 'onnx' as const, budget: { kind: 'bits' as const, value: 4 }, pins: {}, metric: 'sqnr', rounder: 'gptq' as const, correction: 'none' as const, seed: 0 }
  const file = { model, choice: listed, provenance }
  const out = path.join(folder, 'out')
  const { mkdirSync } = await import('node:fs')
  mkdirSync(out)
  const exported = await writeWeightsFile(file, (layer) => Promise.resolve(blobs.get(layer) ?? new Uint8Array()), out, context.signal)
  expect(readFileSync(exported.path).length).toBe(exported.sizeBytes)
  expect(await weightsFileBytes(file)).toBe(exported.sizeBytes)
  for (const feeds of samples.slice(0, 3)) {
    const expected = await outputsOf({ ...model.graph, initializers: dense }, feeds)
    const found = await outputsOf(exported.path, feeds)
    const comparison = createComparison([])
    await comparison.add(expected, found)
    for (const { sqnr } of comparison.qualities()) expect(sqnr).toBeGreaterThan(least) // sums in another order
    const distance = createComparison([])
    await distance.add(await outputsOf(model.graph, feeds), found)
    for (const { sqnr } of distance.qualities()) expect(sqnr).toBeGreaterThan(8)
  }
}

test('every stored form computes with exactly the rounded weights, in stock operators: a CNN', () => withFolder((folder) =>
  exportedBesideDense(folder, smallCnn(), cnnChoice, Array.from({ length: 12 }, (_, seed) => ({ image: image(seed) })))))

test.each([8, 11, 13, 20])('the same beside operator set %i, which has no blocked DequantizeLinear and stays as it is', (opset) => withFolder(async (folder) => {
  await exportedBesideDense(folder, smallCnn(opset), cnnChoice, Array.from({ length: 12 }, (_, seed) => ({ image: image(seed) })))
  const { graph } = await openGraphModel(path.join(folder, 'out', 'model.onnx'))
  expect(graph.opset['']).toBe(opset)
  expect(graph.nodes.filter(({ op }) => op === 'Relu')).toEqual(smallCnn(opset).nodes.filter(({ op }) => op === 'Relu'))
}))

test('the same of an encoder: a tied table, columns that fill no group, a transposed weight', () => withFolder((folder) =>
  exportedBesideDense(folder, smallEncoder(), encoderChoice, Array.from({ length: 24 }, (_, seed) => ({ input_ids: tokens(seed) })))))

const halfImage = async (seed: number): Promise<Tensor> => ({ type: 'float16', dims: [1, 3, 8, 8], data: new Uint16Array((await toHalves(noise(192, seed))).buffer) })

test.each([13, 17, 21])('the same of 16-bit weights, operator set %i', (opset) => withFolder(async (folder) => {
  const samples = await Promise.all(Array.from({ length: 6 }, async (_, seed) => ({ image: await halfImage(seed) })))
  await exportedBesideDense(folder, await halfCnn(opset), { first: 'int8-channel', up: 'int4-g32', wide: 'int8-channel' }, samples, 50)
}))

test.each([['int4-g32', 'int8-g32', 9], ['int4-g64-sym', 'int2-g32', 17]])('the same of tables whose rows fill no whole groups: %s, %s, operator set %i', (tied, plain, opset) => withFolder((folder) =>
  exportedBesideDense(folder, oddTables(opset), { tied, plain, up: 'int4-g32' }, Array.from({ length: 12 }, (_, seed) => ({ input_ids: tokens(seed) })))))

const frames = (seed: number): Tensor => ({ type: 'float32', dims: [7, 2, 32], data: noise(7 * 2 * 32, seed, 2) })
const recurrentChoice = { 'lstm.w': 'int4-g32', 'lstm.r': 'int4-channel', 'gru.w': 'int8-channel', 'gru.r': 'F16' }

test.each([14, 21])('the same of recurrent weights, operator set %i', (opset) => withFolder((folder) =>
  exportedBesideDense(folder, smallRecurrent(opset), recurrentChoice, Array.from({ length: 6 }, (_, seed) => ({ frames: frames(seed) })))))

test('recurrent weights are told by inputs and by states, a direction at a time, whether or not the graph reads the states', () => withFolder(async (folder) => {
  const model = await openGraphModel(await written(folder, smallRecurrent()))
  expect(model.layers.map(({ name, shape, groups, isDense }) => [name, shape, groups, isDense])).toEqual([
    ['lstm.w', [192, 32], 1, true], ['lstm.r', [192, 24], 2, true], ['gru.w', [144, 48], 1, true], ['gru.r', [144, 48], 1, true],
  ])
  const feeds = { frames: frames(1) }
  const inputs = await collectInputs(model.graph, model.layers, [{ feeds, labels: null }], {}, context)
  const all = { ...model.graph, nodes: model.graph.nodes.map((node) => (node.op === 'GRU' ? { ...node, outputs: ['gru.y', 'gru.h'] } : node)), outputs: ['lstm.y', 'gru.y'].map((name) => ({ name, type: 'float32' as const, shape: null })) }
  const states = await outputsOf(all, feeds)
  /** Mean square of column `at` over the states [time, direction, batch, hidden] of a direction. */
  const power = ({ data, dims: [time, directions, batch, hidden] }: Tensor, direction: number, at: number): number =>
    Array.from({ length: time * batch }, (_, row) => Number(data[((Math.floor(row / batch) * directions + direction) * batch + (row % batch)) * hidden + at]) ** 2).reduce((sum, value) => sum + value, 0) / (time * batch)
  for (const direction of [0, 1]) expect(inputs.get('lstm.r')?.groups[direction].importance[5]).toBeCloseTo(power(states['lstm.y'], direction, 5), 6)
  expect(inputs.get('gru.r')?.groups[0].importance[40]).toBeCloseTo(power(states['gru.y'], 0, 40), 6)
  expect(inputs.get('lstm.w')?.groups[0].statistics.tokens).toBe(14)
}))

test('weights in branches: each by its own name, stored and computed with as rounded, whichever branch is taken', () => withFolder(async (folder) => {
  const model = await openGraphModel(await written(folder, branching()))
  const names = model.layers.map(({ name }) => name)
  expect(names.toSorted()).toEqual(['shared', 'w_1', 'w_2'])
  rmSync(model.path)
  await exportedBesideDense(folder, branching(), { shared: 'int8-channel', w_1: 'int4-g32', w_2: 'int8-channel' }, [1, -1].map((sign) => ({ x: { type: 'float32', dims: [3, 64], data: noise(192, 3).map((value) => sign * Math.abs(value)) } })))
  // What one branch alone reads is made in it; what both read is made once, in front of them.
  const { graph } = await openGraphModel(path.join(folder, 'out', 'model.onnx'))
  const spread = (nodes: Graph['nodes']): number => nodes.filter(({ op }) => op === 'DequantizeLinear').length
  const branches = Object.values(graph.nodes.find(({ op }) => op === 'If')?.attributes ?? {}).flatMap((value) => ('graph' in value ? [spread(value.graph.nodes)] : []))
  expect([spread(graph.nodes), ...branches]).toEqual([1, 1, 1])
}))

test('a kernel in a branch has a row an output channel, a stack of matrices one a vector', () => withFolder(async (folder) => {
  const { layers, path: file } = await openGraphModel(await written(folder, denseReaders()))
  expect(layers.map(({ name, shape }) => [name, shape]).toSorted()).toEqual([['else', [32, 48]], ['stack', [24, 32]], ['then', [32, 48]]])
  rmSync(file)
  await exportedBesideDense(folder, denseReaders(), { then: 'int8-channel', else: 'int4-channel', stack: 'int4-g32' }, [1, -1].map((sign) => ({ x: { type: 'float32', dims: [2, 16, 24], data: noise(768, 3).map((value) => sign * Math.abs(value)) } })))
}))

test('a weight that reaches its operator in pieces: what is planned is what is written', () => withFolder(async (folder) => {
  const model = await written(folder, piecedRecurrent())
  const engine = createEngine()
  const measured = await engine.measure({ model, metric: 'sqnr', rounder: 'search', out: path.join(folder, 's.json') }, context)
  expect(measured.layers.map(({ name, shape }) => [name, shape])).toEqual([['w', [96, 32]], ['r', [96, 24]]])
  const { recipe } = await engine.plan({ model, measured, target: 'onnx', budget: { kind: 'bytes', value: 6500 } }, context) // 10,752 in 16 bits
  const report = await engine.run({ recipe, folder: path.join(folder, 'out', 'job'), out: path.join(folder, 'out') }, context)
  expect(report.sizeBytes).toBe(recipe.predicted.sizeBytes)
  expect(report.sizeBytes).toBeLessThanOrEqual(6500)
}))

test('a weight that no sample reaches is named', () => withFolder(async (folder) => {
  const file = await written(folder, branching())
  const data = path.join(folder, 'x.npy')
  writeFileSync(data, npyBytes([6, 64], noise(384, 1).map(Math.abs)))
  const warnings: string[] = []
  await createEngine().measure({ model: file, data, metric: 'kl-scaled', rounder: 'nearest', out: path.join(folder, 's.json') }, { ...context, report: (event) => { if (event.type === 'log' && event.level === 'warning') warnings.push(event.text) } })
  expect(warnings.join(' ')).toMatch(/no output depends on w_[12]: nothing is known of what they lose/)
}))

test('measure, plan and run: the size is as predicted, and a run that lost half its tensors ends in the same bytes', () => withFolder(async (folder) => {
  const model = await written(folder, smallCnn())
  const data = path.join(folder, 'images.npy')
  writeFileSync(data, npyBytes([20, 3, 12, 12], noise(20 * 432, 99)))
  const engine = createEngine()
  const measured = await engine.measure({ model, data, metric: 'kl-scaled', rounder: 'gptq', samples: 12, out: path.join(folder, 'sensitivity.json') }, context)
  expect(measured.data).toMatchObject({ samples: 12, tokens: 12 })
  for (const { name, options } of measured.layers) expect(Object.keys(options).length > 1).toBe(name !== 'hidden') // 16 columns are fewer than any group
  await expect(engine.plan({ model, measured, target: 'onnx', budget: { kind: 'bits', value: 7 }, learnedRounding: 'pv' }, context)).rejects.toThrow(/learned rounding is for language models/)
  const { recipe } = await engine.plan({ model, measured, target: 'onnx', budget: { kind: 'bits', value: 7 } }, context)
  writeFileSync(path.join(folder, 'README.md'), '---\nlicense: mit\n---\n')
  const out = path.join(folder, 'out')
  const report = await engine.run({ recipe, folder: path.join(out, 'job'), out }, context)
  expect(report.sizeBytes).toBe(recipe.predicted.sizeBytes)
  expect(report).toMatchObject({ samples: 4, target: 'onnx' })
  expect(report.outputs?.[0].sqnr).toBeGreaterThan(10)
  const card = readFileSync(path.join(out, 'README.md'), 'utf8')
  for (const text of ['license: mit', report.sha256, '`images.npy`, 12 samples', `| ${report.outputs?.[0].sqnr.toPrecision(4) ?? ''} dB |`]) expect(card).toContain(text)
  const before = readFileSync(report.output, 'latin1')
  const [first] = recipe.choice.filter(({ option }) => option !== 'F32').slice(2)
  for (const { name } of recipe.choice.slice(2)) for (const ending of ['bin', 'json']) rmSync(path.join(out, 'job', 'tensors', `${name}.${ending}`), { force: true })
  expect(first).toBeDefined()
  const apart = path.join(folder, 'apart.npy')
  writeFileSync(apart, npyBytes([3, 3, 12, 12], noise(3 * 432, 7)))
  const again = await engine.run({ recipe, folder: path.join(out, 'job'), out, resume: true, text: apart }, context)
  expect(again).toMatchObject({ samples: 3 }) // judged on the samples given for it
  const { metadata } = (await openGraphModel(again.output)).graph
  expect(JSON.parse(metadata[measuredKey])).toMatchObject({ evaluated: true, sqnr: Number(again.outputs?.[0].sqnr.toPrecision(5)), outputs: 1, samples: 3 })
  expect(readFileSync(again.output, 'latin1')).toBe(before.replace(measuredText(report), metadata[measuredKey])) // nothing else differs
  expect(again.sha256).toBe(createHash('sha256').update(readFileSync(again.output)).digest('hex'))
}))

test('a measurement that is stopped leaves a map to plan with, rounds nothing twice, and ends in the same bytes', () => withFolder(async (folder) => {
  const model = await written(folder, smallCnn())
  const data = path.join(folder, 'images.npy')
  writeFileSync(data, npyBytes([10, 3, 12, 12], noise(10 * 432, 99)))
  const engine = createEngine()
  async function measure(metric: string, out: string, stopAfter = Infinity): Promise<{ readonly isStopped: boolean; readonly rounded: Set<string> }> {
    const stop = new AbortController()
    const rounded = new Set<string>()
    const report: Context['report'] = (event) => {
      if (event.type !== 'cell' || event.value !== 0 && metric === 'fisher') return
      rounded.add(event.layer)
      if (rounded.size > stopAfter) stop.abort()
    }
    const isStopped = await engine.measure({ model, data, metric, rounder: 'gptq', samples: 8, out: path.join(folder, out) }, { signal: stop.signal, report }).then(() => false, () => true)
    return { isStopped, rounded }
  }
  for (const metric of ['layer-output', 'fisher', 'hessian-trace']) {
    await measure(metric, 'whole.json')
    expect(await measure(metric, 'stopped.json', 3)).toMatchObject({ isStopped: true })
    if (metric === 'layer-output') {
      const partial = Sensitivity.parse(JSON.parse(readFileSync(path.join(folder, 'stopped.json'), 'utf8')))
      expect(partial.layers.map(({ options }) => Object.keys(options).length > 0)).toEqual([true, true, true, false, false, false, false, false])
      const { warnings, recipe } = await engine.plan({ model, measured: partial, target: 'onnx', budget: { kind: 'bits', value: 9 } }, context)
      expect(recipe.choice).toHaveLength(8)
      expect(warnings.join(' ')).toMatch(/The measurement is unfinished: the losses of side, grouped, up, hidden, … \(5 layers\) are estimated/)
    }
    const { rounded } = await measure(metric, 'stopped.json')
    expect(rounded.has('stem')).toBe(false)
    expect(readFileSync(path.join(folder, 'stopped.json'))).toEqual(readFileSync(path.join(folder, 'whole.json')))
    for (const name of ['whole.json', 'stopped.json']) rmSync(path.join(folder, name))
  }
}))

test('pairs raise losses once, however often more are asked for; the spectrum is drawn beside the map', () => withFolder(async (folder) => {
  const model = await written(folder, smallCnn())
  const data = path.join(folder, 'images.npy')
  writeFileSync(data, npyBytes([10, 3, 12, 12], noise(10 * 432, 99)))
  const engine = createEngine()
  const measure = (out: string, pairs: number, spectrum?: string): ReturnType<typeof engine.measure> =>
    engine.measure({ model, data, metric: 'layer-output', rounder: 'nearest', samples: 8, pairs, ...(spectrum !== undefined && { spectrum }), out: path.join(folder, out) }, context)
  const plain = await measure('plain.json', 0)
  const paired = await measure('paired.json', 6)
  expect(paired.pairs).toHaveLength(6)
  const raised = paired.layers.filter(({ options }, index) => Object.entries(options).some(([name, { value }]) => value > plain.layers[index].options[name].value))
  expect(raised.length).toBeGreaterThan(0)
  for (const { name } of raised) expect(paired.pairs?.some(({ layers, alone, together }) => layers.includes(name) && together > alone[0] + alone[1])).toBe(true)
  await measure('grown.json', 2)
  const drawn = await measure('grown.json', 6, path.join(folder, 'spectrum.svg'))
  expect(drawn.layers).toEqual(paired.layers)
  expect(readFileSync(path.join(folder, 'spectrum.svg'), 'utf8')).toContain('Eigenvalues of the loss Hessian')
  const { quadratures, elements } = JSON.parse(readFileSync(path.join(folder, 'spectrum.json'), 'utf8')) as { quadratures: { weights: number[] }[]; elements: number }
  expect(elements).toBe(plain.layers.reduce((sum, layer) => sum + layer.elements, 0))
  for (const { weights } of quadratures) expect(weights.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
  await expect(engine.measure({ model, metric: 'sqnr', rounder: 'search', pairs: 2, out: path.join(folder, 'x.json') }, context)).rejects.toThrow(/--pairs, --spectrum: found no data/)
}))

test('data that does not fit says where, what was found and what was expected', () => withFolder(async (folder) => {
  const model = await written(folder, smallCnn())
  const data = path.join(folder, 'images.npy')
  const measure = (): Promise<unknown> => createEngine().measure({ model, data, metric: 'sqnr', rounder: 'nearest', out: path.join(folder, 's.json') }, context)
  writeFileSync(data, npyBytes([4, 3, 10, 12], noise(4 * 360, 1)))
  await expect(measure()).rejects.toThrow(/input 'image': found float32 \[4, 3, 10, 12\], expected float32 \[n, 3, 12, 12\]/)
  writeFileSync(path.join(folder, 'x.txt'), 'text')
  await expect(createEngine().measure({ model, data: path.join(folder, 'x.txt'), out: path.join(folder, 's.json') }, context)).rejects.toThrow(/found neither arrays, images nor JSON lines/)
  await expect(createEngine().measure({ model, data, target: 'gguf', out: path.join(folder, 's.json') }, context)).rejects.toThrow(/an ONNX graph is written as an ONNX graph/)
}))

test('a model whose weights are few bits already, or that has none, is refused with what to give', () => withFolder(async (folder) => {
  const refusal = async (graph: Graph): Promise<unknown> => createEngine().measure({ model: await written(folder, graph), metric: 'sqnr', rounder: 'nearest', out: path.join(folder, 's.json') }, context).catch((error: unknown) => error).finally(() => rmSync(path.join(folder, 'model.onnx')))
  const b = createBuilder({ '': 21 })
  const codes = b.initializer({ name: 'codes', type: 'int8', dims: [64, 64], data: new Uint8Array(4096) })
  b.output(b.one('MatMul', [b.input('x', 'float32', ['n', 64]), b.one('DequantizeLinear', [codes, b.floats(0.1)])]), 'float32', null)
  expect(await refusal(b.build('packed'))).toMatchObject({ message: expect.stringMatching(/largest tensor, codes, holds int8/) as string, hint: expect.stringMatching(/quantized already: give the model it was made from/) as string })
  const none = createBuilder({ '': 21 })
  none.output(none.one('Softmax', [none.input('x', 'float32', ['n', 64])]), 'float32', null)
  expect(await refusal(none.build('none'))).toMatchObject({ code: 'unsupported-tensor', message: expect.stringMatching(/found no weight that can be compressed, expected weights of/) as string })
}))
