/**
 * @file im2col: the part of an activation [batch, channels, …] under a convolution's kernel, as rows of [channels of the group, …]. Of
 * a large map evenly spread places are taken, always the same ones. A transposed convolution's rows are its input's positions.
 */
import { elementCount } from '../graph/element.ts'
import type { NodeView } from '../graph/shapes/rule.ts'

export interface PatchWindow {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly padsBefore: readonly number[]
  readonly padsAfter: readonly number[]
  /** SAME_UPPER or SAME_LOWER: padding follows from the size of the input. */
  readonly same: 'upper' | 'lower' | null
}

/** The window of a Conv node; of a ConvTranspose one position, which is exact where kernels do not overlap. */
export function patchWindow(view: NodeView, operator: 'Conv' | 'ConvTranspose', dims: readonly number[]): PatchWindow {
  const rank = dims.length - 2
  const ones = new Array<number>(rank).fill(1)
  const zeros = new Array<number>(rank).fill(0)
  if (operator === 'ConvTranspose') return { kernel: ones, strides: ones, dilations: ones, padsBefore: zeros, padsAfter: zeros, same: null }
  const pads = view.ints('pads')
  const auto = view.text('auto_pad', 'NOTSET')
  return {
    kernel: dims.slice(2),
    strides: view.ints('strides') ?? ones,
    dilations: view.ints('dilations') ?? ones,
    padsBefore: pads?.slice(0, rank) ?? zeros,
    padsAfter: pads?.slice(rank) ?? zeros,
    same: auto === 'SAME_UPPER' ? 'upper' : auto === 'SAME_LOWER' ? 'lower' : null,
  }
}

/** Output size and padding in front, an axis each. */
function layout({ kernel, strides, dilations, padsBefore, padsAfter, same }: PatchWindow, spatial: readonly number[]): { readonly sizes: number[]; readonly before: number[] } {
  const sizes: number[] = []
  const before: number[] = []
  spatial.forEach((size, axis) => {
    const reach = dilations[axis] * (kernel[axis] - 1) + 1
    if (same === null) {
      sizes.push(Math.max(0, Math.floor((size + padsBefore[axis] + padsAfter[axis] - reach) / strides[axis]) + 1))
      before.push(padsBefore[axis])
    } else {
      const out = Math.ceil(size / strides[axis])
      const total = Math.max(0, (out - 1) * strides[axis] + reach - size)
      sizes.push(out)
      before.push(same === 'upper' ? Math.floor(total / 2) : Math.ceil(total / 2))
    }
  })
  return { sizes, before }
}

/** Coordinates of a place, the last axis fastest. */
function coordinates(place: number, sizes: readonly number[]): number[] {
  const found = new Array<number>(sizes.length)
  let rest = place
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    found[axis] = rest % sizes[axis]
    rest = Math.floor(rest / sizes[axis])
  }
  return found
}

/** Where patches lie: the image of each row, and the position of each tap in a channel's map, −1 in the padding. */
export interface PatchPlaces {
  readonly taps: number
  readonly images: Int32Array
  readonly positions: Int32Array
}

/** Places of at most `most` patches of an activation of shape `dims`. */
export function patchPlaces(dims: readonly number[], window: PatchWindow, most: number): PatchPlaces {
  const [batch, , ...spatial] = dims
  const { sizes, before } = layout(window, spatial)
  const places = batch * elementCount(sizes)
  const count = Math.min(most, places)
  const taps = elementCount(window.kernel)
  const offsets = Array.from({ length: taps }, (_, tap) => coordinates(tap, window.kernel))
  const images = new Int32Array(count)
  const positions = new Int32Array(count * taps)
  for (let row = 0; row < count; row++) {
    const [image, ...at] = coordinates(Math.floor((row * places) / count), [batch, ...sizes])
    images[row] = image
    for (let tap = 0; tap < taps; tap++) {
      let position = 0
      for (let axis = 0; axis < spatial.length && position >= 0; axis++) {
        const place = at[axis] * window.strides[axis] + offsets[tap][axis] * window.dilations[axis] - before[axis]
        position = place < 0 || place >= spatial[axis] ? -1 : position * spatial[axis] + place
      }
      positions[row * taps + tap] = position
    }
  }
  return { taps, images, positions }
}

/** The patches of group `group` of `groups`, [rows, channels / groups · taps]. */
export function takePatches(x: Float32Array, dims: readonly number[], { taps, images, positions }: PatchPlaces, group: number, groups: number): Float32Array {
  const [, channels, ...spatial] = dims
  const area = elementCount(spatial)
  const own = channels / groups
  const rows = new Float32Array(images.length * own * taps)
  let at = 0
  for (let row = 0; row < images.length; row++) {
    for (let channel = 0; channel < own; channel++) {
      const start = (images[row] * channels + group * own + channel) * area
      for (let tap = 0; tap < taps; tap++) {
        const position = positions[row * taps + tap]
        rows[at++] = position < 0 ? 0 : x[start + position]
      }
    }
  }
  return rows
}
