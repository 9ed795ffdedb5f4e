/**
 * @file What a run will take, before it runs: arithmetic of its passes over this machine's measured speed, and the sum of what
 * is resident at its widest moment. The report holds the outcome beside it.
 */
import type { DecoderModel } from './session/model.ts'
import type { Machine } from './job/machine.ts'

export interface RunSize {
  readonly windows: number
  readonly length: number
  readonly evaluationTokens: number
  readonly rounder: string
}

/** Share of a dense product's speed that whole blocks reach (attention, norms, small layers). */
const blockEfficiency = 0.4
/** The same for Gram matrices and for GPTQ. */
const statisticsEfficiency = 0.5
const roundingEfficiency = 0.15
/** Passes over the windows while quantizing: one a tap, one to go on, and one more for a head that is quantized first. */
const passes = 6
/** The process before any model: Node.js, ONNX Runtime, the addon. */
const processBytes = 170e6
/** ONNX Runtime's own buffers, as a share of the activations of a window. */
const activationShare = 14

/** Predicts time and peak memory of quantizing, exporting and evaluating. */
export function predictRun({ spec, layers }: DecoderModel, { windows, length, evaluationTokens, rounder }: RunSize, { flops }: Machine): { peakMemoryBytes: number; elapsedMs: number } {
  const inBlocks = layers.filter(({ block }) => block !== null)
  const blockWeights = inBlocks.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  const tableWeights = spec.vocabulary * spec.hidden
  const tokens = windows * length
  const attention = 4 * spec.blocks * spec.heads * spec.headSize * length
  const forward = 2 * blockWeights + attention
  const inputs = [spec.hidden, spec.heads * spec.headSize, spec.hidden, spec.intermediate]
  const gram = spec.blocks * inputs.reduce((sum, cols) => sum + cols * cols, 0)
  const rounding = rounder === 'gptq' ? layers.reduce((sum, { shape: [rows, cols] }) => sum + 2 * rows * cols * cols + cols ** 3, 0) : 2000 * (blockWeights + tableWeights)
  const seconds =
    (passes * forward * tokens) / (flops * blockEfficiency) +
    (gram * tokens) / (flops * statisticsEfficiency) +
    rounding / (flops * roundingEfficiency) +
    (2 * (forward * 2 + 2 * tableWeights) * evaluationTokens) / (flops * blockEfficiency)
  const widest = Math.max(...inputs, spec.hidden)
  const block = (blockWeights / spec.blocks) * 4
  const table = tableWeights * 4
  const parked = windows * length * spec.hidden * 4
  const activations = activationShare * length * Math.max(spec.intermediate, spec.hidden) * 4 + spec.heads * length * length * 8
  const statistics = widest * widest * (8 + 4 + 8)
  const peakMemoryBytes = processBytes + Math.max(2 * block + statistics + activations + parked + table, 3 * table + widest * widest * 8 + parked)
  return { peakMemoryBytes: Math.round(peakMemoryBytes), elapsedMs: Math.round(seconds * 1000) }
}
