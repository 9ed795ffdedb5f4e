/** @file What the gradients of convolutions and poolings share: windows as attributes, and transposed convolution to a wanted size. */
import { AppError } from '../../contract/errors.ts'
import type { Algebra } from '../graph/algebra.ts'
import type { Attributes } from '../graph/builder.ts'
import { windowOf as windowAttributes, type Window } from '../graph/shapes/convolution.ts'
import type { RuleNode } from './rule.ts'

export interface GroupedWindow extends Window {
  readonly group: number
}

/** The window of a convolution with weights w [out, in / group, …kernel]. */
export function windowOf(g: Algebra, node: RuleNode, w: string): GroupedWindow {
  const kernel = node.ints('kernel_shape') ?? g.shape(w).slice(2).map(Number)
  return { ...windowAttributes(node, kernel), group: node.int('group', 1) }
}

export function attributes({ kernel, strides, dilations, pads, group }: GroupedWindow): Attributes {
  return { kernel_shape: { ints: kernel }, strides: { ints: strides }, dilations: { ints: dilations }, pads: { ints: pads }, group: { int: group } }
}

/** The gradient of the weights of a convolution from x to y, as one node (see lower/conv-weight-gradient.ts). */
export function weightGradient(g: Algebra, x: string, dy: string, window: GroupedWindow): string {
  return g.one('ConvWeightGradient', [x, dy], attributes(window), { domain: 'halftone' })
}

/** The transposed convolution of dy by w, in the spatial size of `like`: what a stride left over is padded or cut at the end. */
export function transposedTo(g: Algebra, dy: string, w: string, window: GroupedWindow, like: string): string {
  const { kernel, strides, dilations, pads } = window
  const rank = kernel.length
  const ends = pads.slice(rank)
  const extra = kernel.map(() => 0)
  const cut: number[] = []
  for (let axis = 0; axis < rank; axis++) {
    const stride = strides[axis] ?? 1
    const size = g.shape(like)[axis + 2]
    const count = g.shape(dy)[axis + 2]
    const reach = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1
    if (typeof size === 'number' && typeof count === 'number') {
      const missing = size - ((count - 1) * stride + reach - (pads[axis] ?? 0) - (ends[axis] ?? 0))
      if (missing >= 0) extra[axis] = missing
      else ends[axis] = (ends[axis] ?? 0) - missing
    } else if (stride > 1) {
      extra[axis] = stride - 1
      cut.push(axis + 2)
    }
  }
  // More padding at the end than the runtime takes (at most stride − 1) is put there by a Pad.
  const late = extra.map((amount, axis) => Math.max(0, amount - Math.max((strides[axis] ?? 1), (dilations[axis] ?? 1)) + 1))
  const allowed = extra.map((amount, axis) => amount - (late[axis] ?? 0))
  const y = g.one('ConvTranspose', [dy, w], { ...attributes({ ...window, pads: [...pads.slice(0, rank), ...ends] }), ...(allowed.some((amount) => amount > 0) && { output_padding: { ints: allowed } }) })
  const whole = late.some((amount) => amount > 0) ? g.one('Pad', [y, g.ints([...new Array<number>(rank + 4).fill(0), ...late])]) : y
  return cut.reduce((x, axis) => g.one('Slice', [x, g.ints([0]), g.size(like, axis), g.ints([axis])]), whole)
}

/** The window of a pooling from x to y, with the padding at the end that makes y exactly this large. */
export function poolWindow(g: Algebra, node: RuleNode, x: string, y: string): GroupedWindow {
  const window = windowAttributes(node, node.ints('kernel_shape') ?? [])
  const rank = window.kernel.length
  const ends = window.kernel.map((kernel, axis) => {
    const [size, count] = [g.shape(x)[axis + 2], g.shape(y)[axis + 2]]
    const end = window.pads[axis + rank] ?? 0
    if (typeof size !== 'number' || typeof count !== 'number') return end
    const reach = (window.dilations[axis] ?? 1) * (kernel - 1) + 1
    return Math.max(end, (count - 1) * (window.strides[axis] ?? 1) + reach - size - (window.pads[axis] ?? 0))
  })
  return { ...window, pads: [...window.pads.slice(0, rank), ...ends], group: 1 }
}

/** Elements that each window of an AveragePool divides by, [..spatial of y]; null where all windows divide by the kernel's size. */
export function poolCounts(g: Algebra, node: RuleNode, x: string, y: string): number[] | null {
  const window = windowAttributes(node, node.ints('kernel_shape') ?? [])
  const rank = window.kernel.length
  const includesPads = node.int('count_include_pad', 0) === 1
  const isFull = node.int('ceil_mode', 0) === 0 && (includesPads || window.pads.every((amount) => amount === 0))
  if (isFull) return null
  const perAxis = window.kernel.map((kernel, axis) => {
    const [size, count] = [g.shape(x)[axis + 2], g.shape(y)[axis + 2]]
    if (typeof size !== 'number' || typeof count !== 'number') {
      throw new AppError('unsupported-operator', `${node.where}: found padding on an axis of unknown size, expected a known size`, { hint: 'Export the model with fixed input sizes, or give the sizes of its inputs.' })
    }
    const begin = window.pads[axis] ?? 0
    const [low, high] = includesPads ? [-begin, size + (window.pads[axis + rank] ?? 0)] : [0, size]
    return Array.from({ length: count }, (_, index) => {
      const taps = Array.from({ length: kernel }, (_, tap) => index * (window.strides[axis] ?? 1) - begin + tap * (window.dilations[axis] ?? 1))
      return taps.filter((tap) => tap >= low && tap < high).length
    })
  })
  return perAxis.reduce<number[]>((all, counts) => all.flatMap((outer) => counts.map((count) => outer * count)), [1])
}
