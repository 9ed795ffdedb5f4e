/**
 * @file A size budget as people write it: "2.8bpw" (bits per weight over the whole file), "120MB", "1.5GiB", "2733344B"
 * (bytes of the whole file) or "50%" (of the model at 16 bits a weight); and the file size it stands for.
 */
import { AppError } from '../../contract/errors.ts'
import type { Budget } from '../../contract/recipe.ts'

const byteUnits: Readonly<Record<string, number>> = {
  b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
}
const maxBitsPerWeight = 32 // no format here stores a weight in more

/** Reads a budget; throws an AppError that says what is wrong with it. */
export function parseBudget(text: string): Budget {
  const match = /^\s*([0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]+)?)\s*([a-z%]+)\s*$/i.exec(text)
  if (match === null) throw badBudget(text, /^\s*[\d.]+\s*$/.test(text) ? 'the unit is missing' : 'it is not a number with a unit')
  const value = Number(match[1])
  const unit = match[2].toLowerCase()
  if (!Number.isFinite(value) || value <= 0) throw badBudget(text, 'it is not above zero')
  if (unit === 'bpw') {
    if (value > maxBitsPerWeight) throw badBudget(text, `weights take at most ${maxBitsPerWeight} bits`)
    return { kind: 'bits', value }
  }
  if (unit === '%') {
    if (value > 100) throw badBudget(text, 'it is more than all of the model')
    return { kind: 'ratio', value: value / 100 }
  }
  const scale = Object.hasOwn(byteUnits, unit) ? byteUnits[unit] : undefined
  if (scale === undefined) throw badBudget(text, `"${match[2]}" is not a unit`)
  const bytes = Math.floor(value * scale)
  if (bytes < 1 || !Number.isSafeInteger(bytes)) throw badBudget(text, 'it is not a possible number of bytes')
  return { kind: 'bytes', value: bytes }
}

function badBudget(text: string, reason: string): AppError {
  return new AppError('bad-request', `--budget "${text}": ${reason}`, {
    hint: 'Write bits per weight (2.8bpw), a file size (120MB, 1.5GiB, 2733344B) or a share of the 16-bit size (50%).',
  })
}

export interface ModelSize {
  /** Weights in the whole model, whether they can be compressed or not. */
  readonly elements: number
  /** Bytes of the model at 16 bits a weight; 2·elements where it is missing. */
  readonly sourceBytes16?: number
}

/** The largest whole file the budget allows, in bytes. */
export function targetBytes(budget: Budget, { elements, sourceBytes16 = 2 * elements }: ModelSize): number {
  switch (budget.kind) {
    case 'bits': return Math.floor((budget.value * elements) / 8)
    case 'bytes': return budget.value
    case 'ratio': return Math.floor(budget.value * sourceBytes16)
    default: return budget satisfies never
  }
}

/** Bits per weight of a file, everything in it counted. */
export function bitsPerWeight(bytes: number, elements: number): number {
  return (8 * bytes) / elements
}

/** A budget as `parseBudget` reads it. */
export function budgetText(budget: Budget): string {
  switch (budget.kind) {
    case 'bits': return `${budget.value}bpw`
    case 'bytes': return `${budget.value}B`
    case 'ratio': return `${budget.value * 100}%`
    default: return budget satisfies never
  }
}
