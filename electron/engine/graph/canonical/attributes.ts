/** @file Operators whose attributes became inputs in later operator sets (axes, pads, sizes), and constants as initializers. */
import { AppError } from '../../../contract/errors.ts'
import { dataTypes } from '../../../../kernels/kernels.ts'
import type { Algebra } from '../algebra.ts'
import { without, type Form } from './form.ts'

/** The node with a list attribute moved to input `index`. */
function listAsInput(attribute: string, index: number, optional = true): Form {
  return (g, node) => {
    const list = node.ints(attribute)
    if (list === null) {
      if (optional || node.inputs.length > index) return null
      throw new AppError('file-malformed', `${node.where}: found no ${attribute}, expected a list`, { hint: 'Export the model again.' })
    }
    const inputs = Array.from({ length: index }, (_, at) => node.inputs[at] ?? '')
    return g.node(node.node.op, [...inputs, g.ints(list)], without(node, attribute), { outputs: node.node.outputs.length })
  }
}

export const axesInput = listAsInput('axes', 1)

/** Reduction without axes and with the flag of later sets left out. */
export const topK: Form = (g, node) => {
  const k = node.has('k') ? g.ints([node.int('k', 1)]) : ''
  return k === '' ? null : g.node('TopK', [node.inputs[0], k], without(node, 'k'), { outputs: 2 })
}

export const clip: Form = (g, node) => {
  if (node.version >= 11) return null
  const bound = (name: string): string => (node.has(name) ? g.scalar(node.float(name, 0), node.inputs[0]) : '')
  return [g.one('Clip', [node.inputs[0], bound('min'), bound('max')])]
}

export const slice: Form = (g, node) => {
  const [starts, ends, axes] = [node.ints('starts'), node.ints('ends'), node.ints('axes')]
  if (starts === null || ends === null) return null
  return [g.one('Slice', [node.inputs[0], g.ints(starts), g.ints(ends), g.ints(axes ?? starts.map((_, axis) => axis))])]
}

/** Until 17 equal parts were implied; from 18 on their number is given. */
export const split: Form = (g, node) => {
  const given = node.ints('split')
  const outputs = node.node.outputs.length
  const axis = { axis: { int: node.int('axis', 0) } }
  if (given !== null) return g.node('Split', [node.inputs[0], g.ints(given)], axis, { outputs })
  if (node.has('num_outputs') || (node.inputs[1] ?? '') !== '') return null
  return g.node('Split', [node.inputs[0]], { ...axis, num_outputs: { int: outputs } }, { outputs })
}

export const dropout: Form = (g, node) => {
  if (node.version >= 12 && (node.inputs[2] ?? '') !== '' && g.numbers(node.inputs[2])?.[0] !== 0) return null
  return node.node.outputs.length > 1 ? null : [node.inputs[0]]
}

/** Scalars, lists and tensors of Constant nodes. */
export const constant: Form = (g, { node }) => {
  const { value, value_int: int, value_ints: ints, value_float: float, value_floats: floats } = node.attributes
  if (value !== undefined && 'tensor' in value) return [g.initializer({ ...value.tensor, name: g.fresh(node.outputs[0]) })]
  if (int !== undefined && 'int' in int) return [g.ints(int.int)]
  if (ints !== undefined && 'ints' in ints) return [g.ints(ints.ints)]
  if (float !== undefined && 'float' in float) return [singles(g, [float.float], [])]
  if (floats !== undefined && 'floats' in floats) return [singles(g, floats.floats, [floats.floats.length])]
  return null
}

function singles(g: Algebra, values: readonly number[], dims: readonly number[]): string {
  return g.initializer({ name: g.fresh('constant'), type: 'float32', dims, data: new Uint8Array(Float32Array.from(values).buffer) })
}

/** Softmax of set 12 and before normalized all axes from `axis` on together. */
export const softmax: Form = (g, node) => {
  if (node.version >= 13) return null
  const [x] = node.inputs
  const rank = g.rank(x)
  const axis = node.int('axis', 1)
  const from = axis < 0 ? axis + rank : axis
  if (from === rank - 1) return [g.one(node.node.op, [x], { axis: { int: -1 } })]
  return [g.reshapeLike(g.one(node.node.op, [g.one('Flatten', [x], { axis: { int: from } })], { axis: { int: -1 } }), x)]
}

export const batchNormalization: Form = (g, node) => {
  if (node.int('spatial', 1) === 0) throw new AppError('unsupported-operator', `${node.where}: found statistics per element, expected per channel`, { hint: 'Export the model with a later operator set.' })
  if (node.version >= 14 || node.node.outputs.length > 1) return null
  return [g.one('BatchNormalization', node.inputs, without(node, 'spatial', 'momentum'))]
}

export const scatter: Form = (g, node) => [g.one('ScatterElements', node.inputs, node.node.attributes)]

/** Numbers as a tensor of another type come as Cast; a cast to the own type is nothing. */
export const cast: Form = (g, node) => (g.type(node.inputs[0]) === dataTypes[node.int('to', 1)] ? [node.inputs[0]] : null)
