/**
 * HAWQ-V3 (Yao et al. 2020) fixes the first and the last layer at 8 bits and gives the convolution and the downsampling of a residual unit, which
 * read one activation, the same width. Here neither is a rule: ties come from the graph, and the widths from Hessian traces and the budget.
 */
import { expect, test } from 'vitest'
import { kernels } from '../../../../kernels/kernels.ts'
import { silent } from '../../../contract/events.ts'
import type { Group } from '../../budget/allocation.ts'
import { solveExact } from '../../budget/exact.ts'
import { planGroups } from '../../budget/groups.ts'
import type { TargetLayer } from '../../budget/target-layers.ts'
import { graphLayers } from '../../graph-model/layers.ts'
import { goldenModel } from '../golden-model.ts'
import { hessianTraces } from './trace.ts'

const widths = ['int4-channel', 'int8-channel'] as const

/** Ω = mean trace · ‖ΔW‖² of every weight under both widths, at a byte or half of one a weight; tied as the graph says. */
async function groupsOf(traces: ReadonlyMap<string, number>): Promise<readonly Group[]> {
  const { golden: { graph } } = await goldenModel('resnet')
  const layers: TargetLayer[] = []
  for (const { name, kind, shape, ties, initializer: { data } } of graphLayers(graph, 1).layers) {
    const [rows, cols] = shape
    const weights = new Float32Array(Uint8Array.from(data as Uint8Array).buffer)
    const trace = traces.get(name) ?? NaN
    const options = new Map<string, { bytes: number; value: number; stderr: number }>()
    for (const width of widths) {
      const [bytes, found] = [new Uint8Array(kernels().codecBytes(width, { rows, cols })), new Float32Array(weights.length)]
      await kernels().encode(width, { rows, cols }, weights, null, 'nearest', bytes)
      await kernels().decode(width, { rows, cols }, bytes, found)
      const moved = found.reduce((sum, value, at) => sum + (value - weights[at]) ** 2, 0)
      options.set(width, { bytes: weights.length * (width === 'int4-channel' ? 0.5 : 1), value: (trace / weights.length) * moved, stderr: 0 })
    }
    layers.push({ name, kind, shape, elements: weights.length, ties, trace, options, excluded: new Map() })
  }
  return planGroups(layers, {}).groups
}

/** Layers at 8 bits where so much of the room between all 4 and all 8 bits may be used. */
async function wideLayers(groups: readonly Group[], room: number): Promise<string[]> {
  const size = (option: number): number => groups.reduce((sum, { options }) => sum + options[option].cost, 0)
  const solved = await solveExact(groups, size(0) + room * (size(1) - size(0)))
  return groups.flatMap(({ members }, at) => (solved?.choice[at] === 1 ? members : []))
}

test('of a residual network the first and last layer come out at 8 bits first, then the tied branches, together', async () => {
  const { model, golden: { expected } } = await goldenModel('resnet')
  const exact = new Map(Object.entries(expected.layers).map(([name, { trace }]) => [name, trace]))
  const probed = new Map([...await hessianTraces(model, { probes: 48, seed: 1, layers: 'apart' }, silent)].map(([name, { value }]) => [name, value]))
  for (const traces of [exact, probed]) {
    const groups = await groupsOf(traces)
    expect(groups.map(({ members }) => members).filter(({ length }) => length > 1)).toEqual([['block2.conv1.weight', 'block2.down.0.weight']])
    expect(await wideLayers(groups, 0.25)).toEqual(['stem.weight', 'fc.weight'])
    expect(await wideLayers(groups, 0.5)).toEqual(['stem.weight', 'block2.conv1.weight', 'block2.down.0.weight', 'fc.weight'])
  }
})
