/**
 * @file Samples from a folder of images: decoded, resized to the input's height and width, scaled, less the mean, over the standard
 * deviation, laid out as the input wants it. What flags do not say, a preprocessing file beside the model does.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../contract/errors.ts'
import type { ImageOptions } from '../../contract/graph.ts'
import { sha256Files } from '../io/hash.ts'
import { readJsonIfPresent } from '../io/json.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Dimension, Graph } from '../graph/graph.ts'
import type { SampleSource } from './data.ts'
import { inputText } from './input-shape.ts'
import type { GraphModel } from './open.ts'

const endings = new Set(['.png', '.jpg', '.jpeg', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif'])
const FILES_MAX = 100_000
/** Pixels of a picture: larger ones are no photographs. */
const PIXELS_MAX = 268_000_000
/** Of 8-bit values. */
const WHITE = 255

interface Preparation {
  readonly size: readonly [height: number, width: number]
  readonly mean: readonly number[]
  readonly std: readonly number[]
  readonly notes: readonly string[]
}

/** An input that is a picture. */
export interface ImageInput {
  readonly name: string
  readonly channels: number
  readonly isChannelsLast: boolean
  readonly height: Dimension
  readonly width: Dimension
}

/** The graph's picture: its only input, of four dimensions, with one or three channels on one side; null where it takes none. */
export function imageInput({ inputs }: Pick<Graph, 'inputs'>): ImageInput | null {
  const [input] = inputs
  if (inputs.length !== 1 || input.shape?.length !== 4 || input.type !== 'float32') return null
  const [, second, third, last] = input.shape
  const isChannels = (size: Dimension): size is number => size === 1 || size === 3
  if (isChannels(second)) return { name: input.name, channels: second, isChannelsLast: false, height: third, width: last }
  return isChannels(last) ? { name: input.name, channels: last, isChannelsLast: true, height: second, width: third } : null
}

/** [height, width] where both are the model's own. */
export function fixedSize({ height, width }: ImageInput): [number, number] | undefined {
  return typeof height === 'number' && typeof width === 'number' ? [height, width] : undefined
}

function neededInput({ path: file, graph }: GraphModel): ImageInput {
  const input = imageInput(graph)
  if (input !== null) return input
  const { inputs } = graph
  throw new AppError('bad-data', `${file}: found inputs ${inputs.map((one) => `'${one.name}' ${inputText(one)}`).join(', ')}; a folder of images needs one input float32 [batch, channels, height, width] or [batch, height, width, channels]`, { hint: 'Prepare the inputs yourself and give them as .npz.' })
}

const numbersOf = (value: unknown): number[] | undefined => (Array.isArray(value) && value.every((one) => typeof one === 'number') ? value : undefined)

/** `size` of a preprocessing file: { height, width }, { shortest_edge } or a number. */
function sizeOf(value: unknown): [number, number] | undefined {
  if (typeof value === 'number') return [value, value]
  if (typeof value !== 'object' || value === null) return undefined
  const { height, width, shortest_edge: edge } = value as Readonly<Record<string, unknown>>
  if (typeof height === 'number' && typeof width === 'number') return [height, width]
  return typeof edge === 'number' ? [edge, edge] : undefined
}

async function prepare(model: GraphModel, input: ImageInput, { size, mean, std }: ImageOptions): Promise<Preparation> {
  const folder = path.dirname(model.path)
  const file = (await readJsonIfPresent(path.join(folder, 'preprocessor_config.json'))) ?? (await readJsonIfPresent(path.join(folder, '..', 'preprocessor_config.json')))
  const fixed = fixedSize(input)
  const found = fixed ?? size ?? sizeOf(file?.crop_size) ?? sizeOf(file?.size)
  if (found === undefined) throw new AppError('bad-data', `${model.path}: input '${input.name}' has no fixed height and width, and nothing says to what size images are brought`, { hint: 'Give it with --image-size 224x224.' })
  if (fixed !== undefined && size !== undefined && fixed.join() !== size.join()) throw new AppError('bad-data', `--image-size ${size.join('x')}: found another size, expected the model's ${fixed.join('x')}`, { hint: 'Leave the size out.' })
  const spread = (values: readonly number[] | undefined, fallback: number): number[] => Array.from({ length: input.channels }, (_, at) => values?.[values.length === 1 ? 0 : at] ?? fallback)
  const means = mean ?? numbersOf(file?.image_mean)
  const deviations = std ?? numbersOf(file?.image_std)
  const notes = means === undefined && deviations === undefined ? [`${model.path}: nothing says how pixels are scaled; they are divided by 255, without a mean and a deviation of the channels, or a preprocessor_config.json beside the model`] : []
  return { size: found, mean: spread(means, 0), std: spread(deviations, 1), notes }
}

/** One picture as the graph's input. */
async function readImage(file: string, input: ImageInput, { size: [height, width], mean, std }: Preparation): Promise<Tensor> {
  const { channels, isChannelsLast } = input
  let pixels: Buffer
  try {
    const image = sharp(file, { limitInputPixels: PIXELS_MAX }).rotate().flatten({ background: '#fff' }).resize(width, height, { fit: 'fill' })
    const { data, info } = await (channels === 1 ? image.greyscale() : image.toColourspace('srgb')).raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    if (info.channels < channels) throw new Error(`${info.channels} channels`)
    pixels = info.channels === channels ? data : Buffer.from(data.filter((_, at) => at % info.channels < channels))
  } catch (cause) {
    throw new AppError('bad-data', `${file}: found no picture that can be read (${cause instanceof Error ? cause.message : String(cause)}), expected PNG, JPEG, WebP, GIF or TIFF`, { hint: 'Take the file out of the folder, or save it again.', cause })
  }
  const area = height * width
  const data = new Float32Array(area * channels)
  for (let at = 0; at < area; at++) {
    for (let channel = 0; channel < channels; channel++) {
      const value = (pixels[at * channels + channel] / WHITE - mean[channel]) / std[channel]
      data[isChannelsLast ? at * channels + channel : channel * area + at] = value
    }
  }
  return { type: 'float32', dims: isChannelsLast ? [1, height, width, channels] : [1, channels, height, width], data }
}

/** Samples of the images in a folder, in order of their names. */
export async function openImages(model: GraphModel, folder: string, options: ImageOptions, signal: AbortSignal): Promise<SampleSource> {
  const names = (await readdir(folder)).filter((name) => endings.has(path.extname(name).toLowerCase())).sort()
  if (names.length === 0 || names.length > FILES_MAX) throw new AppError('bad-data', `${folder}: found ${names.length} images, expected 1 to ${FILES_MAX} (${[...endings].join(', ')})`, { hint: 'Choose a folder with the pictures themselves in it.' })
  const input = neededInput(model)
  const preparation = await prepare(model, input, options)
  return {
    count: names.length,
    sha256: await sha256Files(names.map((name) => ({ name, path: path.join(folder, name) })), signal),
    notes: preparation.notes,
    async sample(index) {
      return { feeds: { [input.name]: await readImage(path.join(folder, names[index]), input, preparation) }, labels: null }
    },
    close: () => Promise.resolve(),
  }
}
