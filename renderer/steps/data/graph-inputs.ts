/** @file What an ONNX graph takes, and how settings of pictures are written and read. Pure. */
import type { ModelSummary } from '../../../electron/contract/engine.ts'

type Input = NonNullable<ModelSummary['inputs']>[number]

/** `float32 [batch, 3, 224, 224]` */
export function inputText({ type, shape }: Input): string {
  return `${type} [${shape === null ? '…' : shape.map((size) => size ?? '?').join(', ')}]`
}

const isChannels = (size: number | string | null | undefined): boolean => size === 1 || size === 3

/** Whether a folder of pictures can feed the graph: one input of four dimensions, with one or three channels on one side. */
export function takesPictures(inputs: readonly Input[]): boolean {
  const [input] = inputs
  return inputs.length === 1 && input?.type === 'float32' && input.shape?.length === 4 && (isChannels(input.shape[1]) || isChannels(input.shape[3]))
}

/** Whether height and width are the model's own. */
export function hasFixedSize(inputs: readonly Input[]): boolean {
  const shape = inputs[0]?.shape ?? []
  const [first, second] = isChannels(shape[1]) ? [shape[2], shape[3]] : [shape[1], shape[2]]
  return typeof first === 'number' && typeof second === 'number'
}

/** Whether lines of JSON with texts or token ids can feed the graph. */
export function takesTokens(inputs: readonly Input[]): boolean {
  return inputs.some(({ name }) => name === 'input_ids')
}

/** [height, width] of `224x320`, or of `224` for both; undefined where it is neither. */
export function parseSize(text: string): [number, number] | undefined {
  const [, height, width] = /^\s*(\d+)\s*(?:[x×]\s*(\d+)\s*)?$/i.exec(text) ?? []
  const size: [number, number] = [Number(height), Number(width ?? height)]
  return size.every((side) => side > 0 && Number.isSafeInteger(side)) ? size : undefined
}

/** One to four numbers, between commas or spaces; undefined where it is none. */
export function parseNumbers(text: string): number[] | undefined {
  const words = text.split(/[,\s]+/).filter((word) => word !== '')
  const numbers = words.map(Number)
  return numbers.length > 0 && numbers.length <= 4 && numbers.every(Number.isFinite) ? numbers : undefined
}
