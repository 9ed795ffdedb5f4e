/** @file What a command of the command line is: one file each in this folder, one table in main.ts. */
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'

/** Adds its name, options and action to the program. */
export type AddCommand = (program: Command) => void

/** Parses a positive whole number of an option. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value <= 0) throw new InvalidArgumentError('expected a positive whole number')
  return value
}

/** Parses a whole number, which may be 0. */
export function wholeNumber(text: string): number {
  return text === '0' ? 0 : positiveInteger(text)
}

/** Parses a number that is not negative. */
export function nonNegative(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('expected a number, 0 or more')
  return value
}

/** Parses 4GB, 900MB, 2GiB, 1000000 into bytes. */
export function byteCount(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)B?$/.exec(text.trim())
  if (!match) throw new InvalidArgumentError('expected a size such as 4GB, 900MB or 2GiB')
  const power = ['', 'k', 'M', 'G', 'T'].indexOf(match[2] ?? '')
  return Math.round(Number(match[1]) * (match[3] === 'i' ? 1024 : 1000) ** power)
}

/** Parses NAME=OPTION pairs, repeated. */
export function pinned(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.lastIndexOf('=') // names of ONNX tensors may hold one too
  const [name, option] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1 || option === '') throw new InvalidArgumentError('expected LAYER=OPTION, such as blocks.0.down=Q6_K')
  return { ...before, [name]: option }
}

/** Parses a list of ranks such as 0,8,16. */
export function ranks(text: string): number[] {
  const values = text.split(',').map(Number)
  if (!values.every((value) => Number.isSafeInteger(value) && value >= 0)) throw new InvalidArgumentError('expected ranks such as 0,8,16')
  return values
}
