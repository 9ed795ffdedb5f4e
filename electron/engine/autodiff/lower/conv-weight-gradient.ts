/**
 * @file dW of a convolution as a matrix product: the input's patches, one strided slice of the padded input per place of the
 * kernel, against dy, summed over samples. Per group: dW [out, in·k] = Σₙ dy [out, places] · patches [in·k, places]ᵀ.
 */
import { AppError } from '../../../contract/errors.ts'
import type { Algebra, Part } from '../../graph/algebra.ts'
import { windowOf } from '../../graph/shapes/convolution.ts'
import type { Lowering } from '../lower.ts'

/** The inputs of the node as it was emitted: x, dy. */
export const convWeightGradient: Lowering = (g, view) => {
  const [x, dy] = view.node.inputs
  const window = windowOf(view, view.ints('kernel_shape') ?? [])
  const group = view.int('group', 1)
  const { kernel } = window
  const [inputs, outputs] = [g.shape(x)[1], g.shape(dy)[1]]
  if (typeof inputs !== 'number' || typeof outputs !== 'number') {
    throw new AppError('unsupported-operator', `${view.where}: found an unknown number of channels, expected a known one`, { hint: 'Export the model with shape information.' })
  }
  const places = kernel.reduce((product, size) => product * size, 1)
  const patches = patchesOf(g, x, dy, window)
  const isPlain = places === 1
  const length: Part = -1
  const columns = g.reshape(isPlain ? patches[0] : g.one('Concat', patches.map((patch) => g.unsqueeze(patch, [2])), { axis: { int: 2 } }), [[x, 0], group, (inputs / group) * places, length])
  const rows = g.reshape(dy, [[x, 0], group, outputs / group, length])
  const perSample = g.matmul(rows, g.swap(columns))
  return [g.reshape(g.sum(perSample, [0]), [outputs, inputs / group, ...kernel])]
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
