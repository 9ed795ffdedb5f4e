import { beforeAll, describe, expect, it } from 'vitest'
import { kernels } from '../../../../kernels/kernels.ts'
import { silent } from '../../../contract/events.ts'
import type { CodecName } from '../../../contract/options.ts'
import { createEmitter } from '../../graph/emitter.ts'
import { copyGraph } from '../../graph/copy.ts'
import { blockGraph } from '../../graph/decoder/block.ts'
import { vjp } from '../../autodiff/vjp.ts'
import { linears, linearShape } from '../../graph/decoder/spec.ts'
import { baseOfBlobs, type Base } from '../base/base.ts'
import { openGoldens, type Goldens } from '../goldens/goldens.ts'
import { objectives } from '../objectives/objectives.ts'
import { openState } from '../trainables/state.ts'
import { batchOf } from '../window.ts'
import { piecesOf } from './packed-program.ts'
import { openTrainingProgram, type TrainingProgram } from './program.ts'

/** Sums in another order, in float32; measured 1e-6. */
const TOLERANCE = 1e-5

describe('packed weights in a training step', () => {
  let goldens: Goldens
  beforeAll(async () => {
    goldens = await openGoldens()
    return () => goldens.model.close()
  })

  /** The model rounded to a codec: packed, and the same weights as dense F32. */
  async function bases(codec: CodecName): Promise<{ packed: Base; dense: Base }> {
    const { model } = goldens
    const [blobs, plain] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()]
    for (const { name, block, shape: [rows, cols] } of model.layers) {
      if (block === null) continue
      const bytes = new Uint8Array(kernels().codecBytes(codec, { rows, cols }))
      await kernels().encode(codec, { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
      const values = new Float32Array(rows * cols)
      await kernels().decode(codec, { rows, cols }, bytes, values)
      blobs.set(name, bytes)
      plain.set(name, new Uint8Array(values.buffer))
    }
    const of = (bytes: Map<string, Uint8Array>, name: CodecName): Base => baseOfBlobs(model, new Map([...bytes.keys()].map((layer) => [layer, name])), (layer) => Promise.resolve(bytes.get(layer) ?? new Uint8Array()))
    return { packed: of(blobs, codec), dense: of(plain, 'F32') }
  }

  async function open(base: Base): Promise<TrainingProgram> {
    const state = await openState(base, { adapter: goldens.adapter, sets: ['adapters', 'norms'] }, silent.signal)
    return openTrainingProgram(state, { objective: objectives.ce({}), teacherHead: null, threads: 1, signal: silent.signal })
  }

  function difference(found: Float32Array, expected: Float32Array): number {
    expect(found).toHaveLength(expected.length)
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (found[at] ?? NaN))), 0) / largest
  }

  it.each([2, 3, 4, 8] as const)('of %i bits give the output and the gradients of dense ones', async (bits) => {
    const { packed, dense } = await bases(`int${bits}-channel`)
    const batch = batchOf(goldens.windows)
    const seed = Float32Array.from({ length: batch.count * batch.time * 32 }, (_, at) => Math.sin(at))
    const results: { out: Float32Array; input: Float32Array; gradients: readonly Float32Array[] }[] = []
    for (const base of [packed, dense]) {
      const program = await open(base)
      const hidden = await program.embed(batch)
      const out = await program.forward(0, hidden, batch)
      results.push({ out, input: await program.backward(0, hidden, seed, batch), gradients: program.state.trainables.map(({ gradient }) => gradient) })
      program.dispose()
    }
    const [found, expected] = results
    if (!found || !expected) throw new Error('nothing ran')
    expect(difference(found.out, expected.out)).toBeLessThan(TOLERANCE)
    expect(difference(found.input, expected.input)).toBeLessThan(TOLERANCE)
    for (const [at, gradient] of expected.gradients.entries()) {
      if (gradient.some((value) => value !== 0)) expect(difference(found.gradients[at] ?? new Float32Array(), gradient)).toBeLessThan(TOLERANCE)
    }
    expect(expected.gradients.filter((gradient) => gradient.some((value) => value !== 0))).toHaveLength(2 * 7 + 2)
  })

  it.each(['int3-channel', 'int4-channel-sym'] as const)('of %s give scales the same gradients, with codes trained beside them or not', async (codec) => {
    const { packed } = await bases(codec)
    const batch = batchOf(goldens.windows)
    const found = await Promise.all((['scales', 'codes'] as const).map(async (last) => {
      const state = await openState(packed, { adapter: new Map(), sets: ['scales', last] }, silent.signal)
      const program = openTrainingProgram(state, { objective: objectives.ce({}), teacherHead: null, threads: 1, signal: silent.signal })
      const hidden = await program.embed(batch)
      for (const wave of [1, 2]) await program.backward(0, hidden, hidden.map((_, at) => Math.sin(wave * at)), batch) // each adds its own
      program.dispose()
      return state.trainables.filter(({ set, block }) => set === 'scales' && block === 0).map(({ gradient }) => gradient)
    }))
    const [alone, beside] = found
    expect(beside).toHaveLength(7)
    for (const [at, gradient] of beside.entries()) expect(difference(gradient, alone[at])).toBeLessThan(TOLERANCE)
  })

  it.each([[32, 4, 4], [32, 32, 4], [64, 8, 8], [8, 4, 1], [14, 2, 1], [40, 8, 1]])('attend with %i heads over %i in %i parts of eight heads, or in one', (heads, kvHeads, pieces) => {
    expect(piecesOf({ heads, kvHeads })).toBe(pieces)
  })

  it('are fed as codes, and no value of the gradient graph has the size of a weight', async () => {
    const { packed } = await bases('int2-channel')
    const state = await openState(packed, { adapter: goldens.adapter, sets: ['adapters', 'scales', 'norms'] }, silent.signal)
    const program = openTrainingProgram(state, { objective: objectives.ce({}), teacherHead: null, threads: 1, signal: silent.signal })
    const { spec } = goldens.model
    const kinds = program.kinds(0)
    const wrt = ['hidden', ...state.trainables.filter(({ block }) => block === 0).flatMap((trainable) => trainable.wrt)]
    const weights = linears(spec).map((layer) => linearShape(spec, layer))
    const isWeight = (shape: readonly unknown[] | null): boolean => weights.some(([out, input]) => shape?.length === 2 && ((shape[0] === out && shape[1] === input) || (shape[0] === input && shape[1] === out)))
    for (const graph of [blockGraph(spec, { kinds }), vjp(blockGraph(spec, { kinds }), { of: ['out'], wrt })]) {
      const emitter = createEmitter(graph.opset)
      copyGraph(emitter, graph)
      const values = [...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs.filter((name) => name !== ''))]
      const unknown = values.filter((name) => emitter.known(name).shape === null)
      expect(unknown).toEqual([])
      expect(values.filter((name) => emitter.type(name) === 'float32' && isWeight(emitter.known(name).shape))).toEqual([])
    }
    const fed = Object.entries(await program.blockFeeds(0, new Float32Array(32), { count: 1, time: 1, tokens: new Int32Array(1) }))
    const smallest = Math.min(...weights.map(([out, input]) => out * input))
    expect(fed.filter(([, { data }]) => data instanceof Float32Array && data.length >= smallest)).toEqual([])
    program.dispose()
  })
})
