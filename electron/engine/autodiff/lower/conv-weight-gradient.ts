/**
 * @file dW of a convolution as a matrix product: for each place of the kernel the elements of the padded input that meet it (a
 * strided slice), all of them against dy, summed over samples. Per group and place: dW [out, in] = Σₙ dy [out, L] · patch [in, L]ᵀ;
 * with one input channel a group (depthwise) a plain product summed over L.
 */
import { AppError } from '../../../contract/errors.ts'
import type { Algebra } from '../../graph/algebra.ts'
import { windowOf } from '../../graph/shapes/convolution.ts'
import type { Lowering } from '../lower.ts'

/** The inputs of the node as it was emitted: x, dy. */
export const convWeightGradient: Lowering = (g, view) => {
  const [x, dy] = view.node.inputs
  const window = windowOf(view, view.ints('kernel_shape') ?? [])
  const group = view.int('group', 1)
  const [inputs, outputs] = [g.shape(x)[1], g.shape(dy)[1]]
  if (typeof inputs !== 'number' || typeof outputs !== 'number') {
    throw new AppError('unsupported-operator', `${view.where}: found an unknown number of channels, expected a known one`, { hint: 'Export the model with shape information.' })
  }
  const patches = patchesOf(g, x, dy, window)
  const [from, to, places] = [inputs / group, outputs / group, patches.length]
  const shape = [outputs, from, ...window.kernel]
  const total = (product: string): string => sumOverSamples(g, product, x, outputs * places * from)
  const join = (list: readonly string[]): string => (list.length === 1 ? list[0] : g.one('Concat', list, { axis: { int: 1 } }))
  if (group === 1 && from >= CHANNELS_MIN) {
    const rows = g.reshape(dy, [[x, 0], outputs, -1])
    const products = patches.map((patch) => g.matmul(rows, g.swap(g.reshape(patch, [[x, 0], from, -1]))))
    return [g.reshape(g.transpose(g.reshape(total(join(products)), [places, outputs, from]), [1, 2, 0]), shape)]
  }
  if (group > 1 && from === 1) {
    // Depthwise: a product of one number a channel. Multiplied and summed it takes half the time of so many tiny matrix products.
    const rows = g.reshape(dy, [[x, 0], inputs, to, -1])
    const sums = patches.map((patch) => g.reshape(g.sum(g.mul(g.reshape(patch, [[x, 0], inputs, 1, -1]), rows), [3]), [[x, 0], 1, outputs]))
    return [g.reshape(g.transpose(g.reshape(total(join(sums)), [places, outputs]), [1, 0]), shape)]
  }
  // Patches one after the other along the channels: [n, places · in, …], one product for all.
  const stacked = join(patches)
  if (group === 1) {
    const product = g.matmul(g.reshape(dy, [[x, 0], outputs, -1]), g.swap(g.reshape(stacked, [[x, 0], places * from, -1])))
    return [g.reshape(g.transpose(g.reshape(total(product), [outputs, places, from]), [0, 2, 1]), shape)]
  }
  const product = g.matmul(g.reshape(dy, [[x, 0], 1, group, to, -1]), g.swap(g.reshape(stacked, [[x, 0], places, group, from, -1])))
  return [g.reshape(g.transpose(g.reshape(total(product), [places, outputs, from]), [1, 2, 0]), shape)]
}

/** With as many channels the product of one place is fast by itself, and the patches need not be copied together. */
const CHANNELS_MIN = 16

/** [n, …size elements] summed over n, as a product with ones: faster than ReduceSum over the first axis. */
function sumOverSamples(g: Algebra, value: string, x: string, size: number): string {
  const flat = g.reshape(value, [-1, size])
  if (g.shape(x)[0] === 1) return flat
  const ones = g.one('Expand', [g.floats([1], x), g.one('Concat', [g.ints([1]), g.size(x, 0)], { axis: { int: 0 } })])
  return g.one('Gemm', [ones, flat])
}

/** For each place of the kernel, the elements of x that meet it, in the shape of dy's spatial axes. */
function patchesOf(g: Algebra, x: string, dy: string, { kernel, strides, dilations, pads }: ReturnType<typeof windowOf>): string[] {
  const rank = kernel.length
  const isPadded = pads.some((amount) => amount !== 0)
  const padded = isPadded ? g.one('Pad', [x, g.ints([0, 0, ...pads.slice(0, rank), 0, 0, ...pads.slice(rank)])]) : x
  const axes = kernel.map((_, axis) => axis + 2)
  return placesOf(kernel).map((place) => {
    const starts = place.map((at, axis) => at * (dilations[axis] ?? 1))
    const isWhole = starts.every((start) => start === 0) && strides.every((stride) => stride === 1) && kernel.every((size) => size === 1)
    if (isWhole) return padded
    const ends = axes.map((axis, index) => {
      const count = g.shape(dy)[axis]
      return typeof count === 'number' ? starts[index] + (count - 1) * (strides[index] ?? 1) + 1 : null
    })
    const known = ends.filter((end) => end !== null)
    const limit = known.length === ends.length ? g.ints(known) : computedEnds(g, dy, axes, starts, strides)
    return g.one('Slice', [padded, g.ints(starts), limit, g.ints(axes), g.ints(strides)])
  })
}

/** start + (count − 1) · stride + 1 where the number of places is known only while running. */
function computedEnds(g: Algebra, dy: string, axes: readonly number[], starts: readonly number[], strides: readonly number[]): string {
  const counts = g.one('Concat', axes.map((axis) => g.size(dy, axis)), { axis: { int: 0 } })
  const offsets = starts.map((start, index) => start + 1 - (strides[index] ?? 1))
  return g.add(g.mul(counts, g.ints(strides)), g.ints(offsets))
}

function placesOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, size) => all.flatMap((place) => Array.from({ length: size }, (_, at) => [...place, at])), [[]])
}
