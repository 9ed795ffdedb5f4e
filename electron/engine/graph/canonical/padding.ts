/** @file Pad in one form: pads as input; reflected, repeated and wrapped borders as Gather of the elements they repeat. */
import { AppError } from '../../../contract/errors.ts'
import { axisOf } from '../shapes/rule.ts'
import type { Form } from './form.ts'

/** The element of x, of `size`, that stands at `place` of an axis that reaches beyond it. */
const borders: Readonly<Record<string, (place: number, size: number) => number>> = {
  edge: (place, size) => Math.min(size - 1, Math.max(0, place)),
  reflect(place, size) {
    const period = Math.max(1, 2 * (size - 1))
    const turned = ((place % period) + period) % period
    return turned < size ? turned : period - turned
  },
  wrap: (place, size) => ((place % size) + size) % size,
}

export const pad: Form = (g, node) => {
  const [x] = node.inputs
  const listed = node.ints('pads')
  const mode = node.text('mode', 'constant')
  if (mode === 'constant') {
    if (listed === null) return null
    return [g.one('Pad', [x, g.ints(listed), ...(node.has('value') ? [g.scalar(node.float('value', 0), x)] : [])])]
  }
  const pads = listed ?? g.numbers(node.inputs[1])
  const named = (node.inputs[3] ?? '') === '' ? g.shape(x).map((_, axis) => axis) : g.numbers(node.inputs[3])
  const border = borders[mode]
  if (pads === null || named === null || border === undefined) {
    throw new AppError('unsupported-operator', `${node.where}: found mode '${mode}' with computed pads, expected constant ones`, { hint: 'Export the model with fixed input sizes.' })
  }
  return [named.reduce((value, given, index) => {
    const axis = axisOf(given, g.rank(x), node.where)
    const [begin, end] = [pads[index], pads[index + named.length]]
    const size = g.shape(value)[axis]
    if (begin === 0 && end === 0) return value
    if (typeof size !== 'number') throw new AppError('unsupported-operator', `${node.where}: found mode '${mode}' on an axis of unknown size, expected a known size`, { hint: 'Give the sizes of the inputs, or export the model with fixed ones.' })
    const places = Array.from({ length: size + begin + end }, (_, place) => border(place - begin, size))
    return g.one('Gather', [value, g.ints(places)], { axis: { int: axis } })
  }, x)]
}
