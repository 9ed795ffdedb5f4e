/**
 * @file Stored scales of a quantized layer as trainables: one factor 1 + θ a block, θ from 0, so that a learning rate means the same
 * for every layer. Where a block has an offset too (w = d·u − m·v), it has a factor of its own: with scale s = s₀(1 + θ_d) the zero
 * point is z = z₀(1 + θ_m) / (1 + θ_d).
 */
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import { storedScales } from '../base/stored-scales.ts'
import type { PackedWeight } from '../base/weight.ts'
import type { GroupGradients } from './codes.ts'
import type { Trainable } from './trainable.ts'

export interface ScaleTrainable extends Trainable {
  /** Takes up what the factors say; to be called whenever they have changed. */
  refresh(): void
  /** Scales (and zero points) of QMatMul under the factors, as of the last refresh, by the layer's short name. */
  feeds(): Record<string, Tensor>
}

/** Factors of a layer's blocks, [blocks, halves], as `rescaled` takes them. */
export function factorsOf(values: Float32Array): Float32Array {
  return values.map((value) => 1 + value)
}

/**
 * The scales of a layer, or null where its codec has none that can be trained. Beside trained codes their gradient follows from what the
 * codes' says of each group: dŴ is there already.
 */
export function scaleTrainable(layer: string, block: number, short: string, codec: CodecName, weight: PackedWeight, beside?: GroupGradients): ScaleTrainable | null {
  const stored = storedScales(codec)
  if (stored === null) return null
  const { scales, zeros, format, shape: [rows, cols] } = weight
  const groups = scales.length
  const perBlock = stored.block === 0 || format.group === 0 ? 1 : stored.block / format.group
  const halves = zeros === null ? 1 : stored.places.length
  const values = new Float32Array((rows * (stored.block === 0 ? 1 : cols / stored.block)) * halves)
  const gradient = new Float32Array(values.length)
  const dims = [rows, groups / rows]
  const scaled = scales.slice()
  const moved = halves === 1 || zeros === null ? null : new Float32Array(zeros)
  const scaleInput = `${short}.scales`
  const zeroInput = `${short}.zeros`

  const own: Readonly<Record<'ofScales' | 'ofZeros', Float32Array>> = { ofScales: new Float32Array(beside ? groups : 0), ofZeros: new Float32Array(beside ? groups : 0) }

  /** Gradients of every group's scale and zero point: the graph's, or ds = Σ dŴ (q − z) and dz = −s Σ dŴ. */
  function ofGroups(gradients: Readonly<Record<string, Float32Array>>): typeof own {
    if (beside === undefined) return { ofScales: gradients[scaleInput], ofZeros: gradients[zeroInput] }
    const { sums, products, middle } = beside
    const zeroOf = moved ?? zeros
    for (let group = 0; group < groups; group++) {
      own.ofScales[group] = products[group] - (zeroOf === null ? 0 : (zeroOf[group] - middle) * sums[group])
      own.ofZeros[group] = -scaled[group] * sums[group]
    }
    return own
  }

  function pull(gradients: Readonly<Record<string, Float32Array>>): void {
    const { ofScales, ofZeros } = ofGroups(gradients)
    for (let group = 0; group < groups; group++) {
      const at = Math.floor(group / perBlock) * halves
      gradient[at] += ofScales[group] * scales[group]
      if (halves === 1 || zeros === null) continue
      const factor = 1 + values[at]
      const ofRatio = ofZeros[group] * zeros[group] / factor
      gradient[at] -= ofRatio * (1 + values[at + 1]) / factor
      gradient[at + 1] += ofRatio
    }
  }

  return {
    name: `${layer}.scales`, set: 'scales', block, values, gradient, decays: false, pull,
    wrt: beside !== undefined ? [] : halves === 1 ? [scaleInput] : [scaleInput, zeroInput],
    refresh() {
      for (let group = 0; group < groups; group++) {
        const at = Math.floor(group / perBlock) * halves
        const factor = 1 + values[at]
        scaled[group] = scales[group] * factor
        if (moved !== null && zeros !== null) moved[group] = zeros[group] * (1 + values[at + 1]) / factor
      }
    },
    feeds: () => ({ [scaleInput]: { type: 'float32', dims, data: scaled }, ...(moved && { [zeroInput]: { type: 'float32' as const, dims, data: moved } }) }),
  }
}
