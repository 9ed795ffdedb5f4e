/** @file Settings of pictures as people write them. Pure. */

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
