/** @file Convolutions and poolings with their padding written out, and Resize in one form. */
import { AppError } from '../../../contract/errors.ts'
import { windowOf } from '../shapes/convolution.ts'
import type { Algebra } from '../algebra.ts'
import { without, type Form, type FormNode } from './form.ts'

function kernelOf(g: Algebra, node: FormNode): readonly number[] {
  return node.ints('kernel_shape') ?? g.shape(node.inputs[1]).slice(2).map(Number)
}

function unknownSize(node: FormNode): AppError {
  return new AppError('unsupported-operator', `${node.where}: found padding '${node.text('auto_pad', '')}' on an axis of unknown size, expected a known size`, { hint: 'Give the sizes of the inputs, or export the model with fixed ones.' })
}

/** begin and end of `total`, the odd one where the mode puts it. */
function halves(total: number, mode: string): [number, number] {
  const [small, large] = [Math.floor(total / 2), Math.ceil(total / 2)]
  return mode === 'SAME_LOWER' ? [large, small] : [small, large]
}

/** auto_pad as numbers: SAME gives ⌈size / stride⌉ windows. */
export const explicitPads: Form = (g, node) => {
  const mode = node.text('auto_pad', 'NOTSET')
  if (mode === 'NOTSET' || mode === '') return node.has('auto_pad') ? g.node(node.node.op, node.inputs, without(node, 'auto_pad'), { outputs: node.node.outputs.length }) : null
  const kernel = kernelOf(g, node)
  const { strides, dilations } = windowOf(node, kernel)
  const pads = kernel.map((taps, axis): [number, number] => {
    if (mode === 'VALID') return [0, 0]
    const size = g.shape(node.inputs[0])[axis + 2]
    const reach = dilations[axis] * (taps - 1) + 1
    if (strides[axis] === 1) return halves(reach - 1, mode)
    if (typeof size !== 'number') throw unknownSize(node)
    return halves(Math.max(0, (Math.ceil(size / strides[axis]) - 1) * strides[axis] + reach - size), mode)
  })
  const attributes = { ...without(node, 'auto_pad'), pads: { ints: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)] } }
  return g.node(node.node.op, node.inputs, attributes, { outputs: node.node.outputs.length })
}

/** The padding that gives a ConvTranspose the size asked for, by auto_pad or output_shape. */
export const transposedPads: Form = (g, node) => {
  const mode = node.text('auto_pad', 'NOTSET')
  const given = node.ints('output_shape')
  if (given === null && !mode.startsWith('SAME')) return mode === 'VALID' ? [g.one('ConvTranspose', node.inputs, without(node, 'auto_pad', 'pads'))] : null
  const kernel = kernelOf(g, node)
  const { strides, dilations } = windowOf(node, kernel)
  const extra = node.ints('output_padding') ?? kernel.map(() => 0)
  // What the input makes without padding, less what is wanted: too much is cut off, too little added behind.
  const surplus = kernel.map((taps, axis) => {
    const size = g.shape(node.inputs[0])[axis + 2]
    if (typeof size !== 'number') throw unknownSize(node)
    const wanted = given === null ? size * strides[axis] : given[given.length - kernel.length + axis]
    return (size - 1) * strides[axis] + extra[axis] + dilations[axis] * (taps - 1) + 1 - wanted
  })
  const pads = surplus.map((total) => halves(Math.max(0, total), mode === 'SAME_UPPER' ? mode : 'SAME_LOWER'))
  const behind = surplus.map((total, axis) => extra[axis] + Math.max(0, -total))
  return [g.one('ConvTranspose', node.inputs, { ...without(node, 'auto_pad', 'output_shape'), output_padding: { ints: behind }, pads: { ints: [...pads.map(([begin]) => begin), ...pads.map(([, end]) => end)] } })]
}

const oldNearest = { nearest_mode: { string: 'floor' }, coordinate_transformation_mode: { string: 'asymmetric' } } as const

/** Upsample, and Resize of set 10: places are index / scale. */
export const upsample: Form = (g, node) => {
  if (node.node.op === 'Resize' && node.version >= 11) return null
  const scales = node.node.attributes.scales
  const mode = node.text('mode', 'nearest')
  const sizes = scales !== undefined && 'floats' in scales ? g.initializer({ name: g.fresh('scales'), type: 'float32', dims: [scales.floats.length], data: new Uint8Array(Float32Array.from(scales.floats).buffer) }) : node.inputs[1]
  return [g.one('Resize', [node.inputs[0], '', sizes], { mode: { string: mode === 'bilinear' ? 'linear' : mode }, ...oldNearest })]
}

/** [n, b, b, c, h, w] or [n, c, b, b, h, w] to [n, c, h·b, w·b]. */
export const depthToSpace: Form = (g, node) => {
  const [x] = node.inputs
  const block = node.int('blocksize', 1)
  const channels = Number(g.shape(x)[1]) / block ** 2
  const isColumnFirst = node.text('mode', 'DCR') === 'CRD'
  const wide = g.reshape(x, [[x, 0], ...(isColumnFirst ? [channels, block, block] : [block, block, channels]), [x, 2], [x, 3]])
  const moved = g.transpose(wide, isColumnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
  return [merged(g, moved, [0, 1], [[2, 3], [4, 5]])]
}

export const spaceToDepth: Form = (g, node) => {
  const [x] = node.inputs
  const block = node.int('blocksize', 1)
  const [height, width] = g.shape(x).slice(2)
  if (typeof height !== 'number' || typeof width !== 'number') {
    throw new AppError('unsupported-operator', `${node.where}: found axes of unknown size, expected known ones`, { hint: 'Give the sizes of the inputs, or export the model with fixed ones.' })
  }
  const wide = g.reshape(x, [[x, 0], [x, 1], height / block, block, width / block, block])
  return [g.reshape(g.transpose(wide, [0, 3, 5, 1, 2, 4]), [[x, 0], Number(g.shape(x)[1]) * block ** 2, height / block, width / block])]
}

/** Pairs of neighbouring axes made one; sizes come from the value's own shape. */
function merged(g: Algebra, x: string, single: readonly number[], pairs: readonly (readonly [number, number])[]): string {
  const size = (axis: number): string => g.size(x, axis)
  const pieces = [...single.map(size), ...pairs.map(([a, b]) => g.mul(size(a), size(b)))]
  const numbers = [...single.map((axis) => g.shape(x)[axis]), ...pairs.map(([a, b]) => {
    const [left, right] = [g.shape(x)[a], g.shape(x)[b]]
    return typeof left === 'number' && typeof right === 'number' ? left * right : null
  })]
  const known = numbers.filter((value) => typeof value === 'number')
  if (known.length >= numbers.length - 1) return g.one('Reshape', [x, g.ints(numbers.map((value) => (typeof value === 'number' ? value : -1)))])
  return g.one('Reshape', [x, g.one('Concat', pieces, { axis: { int: 0 } })])
}
