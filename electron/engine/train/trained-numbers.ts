/** @file How many numbers a run trains, by what it trains. */
import type { TrainableSet } from '../../contract/training.ts'
import { adapterElements } from '../correct/adapter.ts'
import { storedScales } from './base/stored-scales.ts'
import type { PredictedBase } from './predict.ts'

/** Norms of a block (as many as most have), each of the hidden width. */
const NORMS_OF_BLOCK = 2

export interface TrainedNumbers {
  readonly trained: number
  /** How many of them are codes. */
  readonly codes: number
  /** Weights whose own gradient is taken, for their codes or for the scales of their groups. */
  readonly gradedWeights: number
}

/** Numbers trained by the sets of a run. */
export function trainedNumbers({ model: { layers, spec }, codec }: Omit<PredictedBase, 'tableBytes'>, rank: (layer: string) => number, sets: readonly TrainableSet[]): TrainedNumbers {
  const inBlocks = layers.filter(({ block, kind }) => block !== null && kind === 'matmul')
  const counts: Readonly<Record<TrainableSet, () => number>> = {
    adapters: () => inBlocks.reduce((sum, { name, shape }) => sum + adapterElements(rank(name), shape), 0),
    scales: () => inBlocks.reduce((sum, { name, shape: [rows, cols] }) => {
      const stored = storedScales(codec(name))
      return stored === null ? sum : sum + ((rows * cols) / (stored.block || cols)) * stored.places.length
    }, 0),
    norms: () => spec.hidden * (NORMS_OF_BLOCK * spec.blocks + 1),
    codes: () => inBlocks.reduce((sum, { name, shape: [rows, cols] }) => (storedScales(codec(name)) === null ? sum : sum + rows * cols), 0),
  }
  const quantized = counts.codes()
  return {
    trained: sets.reduce((sum, set) => sum + counts[set](), 0),
    codes: sets.includes('codes') ? quantized : 0,
    gradedWeights: sets.includes('codes') || sets.includes('scales') ? quantized : 0,
  }
}
