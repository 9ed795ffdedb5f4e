/** @file Resizing along one axis as a matrix [out, in]: nearest, linear and cubic interpolation, as ONNX Resize defines them. */
import { AppError } from '../../contract/errors.ts'
import type { Algebra } from '../graph/algebra.ts'
import type { RuleNode } from './rule.ts'

export interface ResizeMap {
  /** Size of y and of x along the axis. */
  readonly rows: number
  readonly columns: number
  /** Row-major [rows, columns]. */
  readonly matrix: readonly number[]
  /** Where every element is repeated this many times and nothing else happens. */
  readonly repeats: number | null
}

interface Sizes {
  readonly input: number
  readonly output: number
  readonly scale: number
}

type Coordinate = (index: number, sizes: Sizes) => number

/** Where in x the centre of an element of y falls. */
const coordinates: Readonly<Record<string, Coordinate>> = {
  half_pixel: (index, { scale }) => (index + 0.5) / scale - 0.5,
  half_pixel_symmetric: (index, { input, output, scale }) => {
    const center = input / 2
    return center * (1 - output / (scale * input)) + (index + 0.5) / scale - 0.5
  },
  pytorch_half_pixel: (index, { output, scale }) => (output > 1 ? (index + 0.5) / scale - 0.5 : 0),
  align_corners: (index, { input, output }) => (output > 1 ? (index * (input - 1)) / (output - 1) : 0),
  asymmetric: (index, { scale }) => index / scale,
}

const nearest: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
}

/** The linear map of a Resize node along `axis`; null where it does nothing there. */
export function resizeMap(g: Algebra, node: RuleNode, axis: number): ResizeMap | null {
  const { inputs: [x], outputs: [y] } = node
  const [columns, rows] = [g.shape(x)[axis], g.shape(y)[axis]]
  if (columns === rows && columns !== null) return null
  if (typeof columns !== 'number' || typeof rows !== 'number') throw refused(node, 'an axis of unknown size', 'a known size', 'Export the model with fixed input sizes, or give the sizes of its inputs.')
  const weights = weightsOf(node)
  const coordinate = coordinates[node.text('coordinate_transformation_mode', 'half_pixel')]
  if (coordinate === undefined) throw refused(node, `coordinates '${node.text('coordinate_transformation_mode', '')}'`, `one of ${Object.keys(coordinates).join(', ')}`)
  if (node.int('antialias', 0) !== 0) throw refused(node, 'antialiasing', 'none')
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') throw refused(node, 'a kept aspect ratio', 'stretch')

  const sizes = { input: columns, output: rows, scale: scaleOf(g, node, axis) ?? rows / columns }
  const matrix = new Array<number>(rows * columns).fill(0)
  for (let row = 0; row < rows; row++) {
    // The runtime computes places in single precision; ties between neighbours fall as they do there.
    for (const [place, weight] of weights(Math.fround(coordinate(row, sizes)), columns)) matrix[row * columns + Math.min(columns - 1, Math.max(0, place))] += weight
  }
  const times = rows / columns
  const isRepeat = Number.isInteger(times) && matrix.every((weight, index) => weight === (Math.floor(Math.floor(index / columns) / times) === index % columns ? 1 : 0))
  return { rows, columns, matrix, repeats: isRepeat ? times : null }
}

function refused(node: RuleNode, found: string, expected: string, hint = 'Freeze what is before this node, or cut the model there.'): AppError {
  return new AppError('unsupported-operator', `${node.where}: found ${found}, expected ${expected}`, { hint })
}

function scaleOf(g: Algebra, node: RuleNode, axis: number): number | null {
  const scales = g.numbers(node.inputs[2] ?? '')
  const axes = node.ints('axes')?.map((at) => (at < 0 ? at + g.rank(node.inputs[0]) : at))
  return scales?.[axes === undefined ? axis : axes.indexOf(axis)] ?? null
}

type Weights = (place: number, size: number) => readonly (readonly [place: number, weight: number])[]

function weightsOf(node: RuleNode): Weights {
  const mode = node.text('mode', 'nearest')
  if (mode === 'nearest') {
    const round = nearest[node.text('nearest_mode', 'round_prefer_floor')] ?? Math.floor
    return (place) => [[round(place), 1]]
  }
  if (mode === 'linear') {
    return (place, size) => {
      const clamped = Math.min(size - 1, Math.max(0, place))
      const low = Math.floor(clamped)
      return [[low, 1 - (clamped - low)], [low + 1, clamped - low]]
    }
  }
  const a = node.float('cubic_coeff_a', -0.75)
  const excludes = node.int('exclude_outside', 0) === 1
  return (place, size) => {
    const low = Math.floor(place)
    const taps = [-1, 0, 1, 2].map((offset) => [low + offset, cubic(Math.abs(place - low - offset), a)] as const)
    if (!excludes) return taps
    const inside = taps.filter(([tap]) => tap >= 0 && tap < size)
    const total = inside.reduce((sum, [, weight]) => sum + weight, 0)
    return inside.map(([tap, weight]) => [tap, weight / total] as const)
  }
}

/** Keys' cubic convolution kernel at distance d. */
function cubic(d: number, a: number): number {
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}
