/** @file Whether a value fits an input of a graph, and what to say where it does not. */
import { AppError } from '../../contract/errors.ts'
import { elementCount } from '../graph/element.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Dimension, ValueInfo } from '../graph/graph.ts'

/** `float32 [batch, 3, 224, 224]` */
export function inputText({ type, shape }: Pick<ValueInfo, 'type' | 'shape'>): string {
  return `${type} [${shape === null ? '…' : shape.map((size) => size ?? '?').join(', ')}]`
}

const fits = (size: Dimension, given: number): boolean => typeof size !== 'number' || size === given

/** Whether dims fit a shape with free dimensions. */
export function shapeFits(shape: readonly Dimension[] | null, dims: readonly number[]): boolean {
  return shape === null || (shape.length === dims.length && shape.every((size, axis) => fits(size, dims[axis])))
}

/** Types between which values pass without loss for the numbers that data holds: NumPy makes int64 and float64 by itself. */
const casts: Readonly<Record<string, readonly string[]>> = { float32: ['float64', 'float16'], int64: ['int32', 'int16', 'int8', 'uint8', 'uint16', 'uint32', 'bool'], int32: ['int64', 'int16', 'int8', 'uint8', 'uint16'] }

/** The value in the input's type and shape. @throws AppError bad-data naming the input, what was found and what was expected */
export function fitInput(input: ValueInfo, value: Tensor, where: string): Tensor {
  const refuse = (hint: string): AppError => new AppError('bad-data', `${where}: input '${input.name}': found ${value.type} [${value.dims.join(', ')}], expected ${inputText(input)}`, { hint })
  if (!shapeFits(input.shape, value.dims)) throw refuse('The first axis counts samples; the others must be those of the input.')
  if (value.type === input.type) return value
  if (!(casts[input.type] ?? []).includes(value.type)) throw refuse(`Save the array as ${input.type} (array.astype).`)
  const numbers = Array.from<number | bigint, number>(value.data, Number)
  if (input.type === 'float32') return { type: 'float32', dims: value.dims, data: Float32Array.from(numbers) }
  if (input.type === 'int64') return { type: 'int64', dims: value.dims, data: BigInt64Array.from(numbers, BigInt) }
  if (numbers.some((number) => number !== (number | 0))) throw refuse('Its values do not fit 32 bits.')
  return { type: 'int32', dims: value.dims, data: Int32Array.from(numbers) }
}

/** The tensor under another shape of as many values. */
export function reshaped(tensor: Tensor, dims: readonly number[]): Tensor {
  return elementCount(dims) === elementCount(tensor.dims) ? { ...tensor, dims } : tensor
}
