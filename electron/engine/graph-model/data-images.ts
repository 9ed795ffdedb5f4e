/**
 * @file Samples from a folder of images: decoded, resized to the input's height and width, scaled, less the mean, over the standard
 * deviation, laid out as the input wants it, as many at a time as it takes. An input of bytes gets the pixels as they are. What
 * flags do not say, a preprocessing file beside the model does.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../contract/errors.ts'
import type { ImageOptions } from '../../contract/graph.ts'
import { toHalves } from '../io/float.ts'
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

const imageTypes = ['float32', 'float16', 'uint8'] as const
type ImageType = (typeof imageTypes)[number]

/** An input that is a picture. */
export interface ImageInput {
  readonly name: string
  readonly type: ImageType
  /** Pictures at a time: one, unless the model is made for more. */
  readonly batch: number
  readonly channels: number
  readonly isChannelsLast: boolean
  readonly height: Dimension
  readonly width: Dimension
}

/** The graph's picture: its only input, of four dimensions, with one or three channels on one side; null where it takes none. */
export function imageInput({ inputs }: Pick<Graph, 'inputs'>): ImageInput | null {
  const [input] = inputs
  const type = imageTypes.find((one) => one === input?.type)
  if (inputs.length !== 1 || input.shape?.length !== 4 || type === undefined) return null
  const [first, second, third, last] = input.shape
  const own = { name: input.name, type, batch: typeof first === 'number' ? first : 1 }
  const isChannels = (size: Dimension): size is number => size === 1 || size === 3
  if (isChannels(second)) return { ...own, channels: second, isChannelsLast: false, height: third, width: last }
  return isChannels(last) ? { ...own, channels: last, isChannelsLast: true, height: second, width: third } : null
}

/** [height, width] where both are the model's own. */
export function fixedSize({ height, width }: ImageInput): [number, number] | undefined {
  return typeof height === 'number' && typeof width === 'number' ? [height, width] : undefined
}

function neededInput({ path: file, graph }: GraphModel): ImageInput {
  const input = imageInput(graph)
  if (input !== null) return input
  const { inputs } = graph
  throw new AppError('bad-data', `${file}: found inputs ${inputs.map((one) => `'${one.name}' ${inputText(one)}`).join(', ')}; a folder of images needs one input float32, float16 or uint8 [batch, channels, height, width] or [batch, height, width, channels]`, { hint: 'Prepare the inputs yourself and give them as .npz.' })
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
  if (input.type === 'uint8') {
    if (mean !== undefined || std !== undefined) throw new AppError('bad-data', `--mean, --std: found the input '${input.name}' of bytes, expected one of floating-point numbers to scale`, { hint: 'Leave them out: the model scales its pixels itself.' })
    return { size: found, mean: spread(undefined, 0), std: spread(undefined, 1 / WHITE), notes: [] }
  }
  const notes = means === undefined && deviations === undefined ? [`${model.path}: nothing says how pixels are scaled; they are divided by 255, without a mean and a deviation of the channels, or a preprocessor_config.json beside the model`] : []
  return { size: found, mean: spread(means, 0), std: spread(deviations, 1), notes }
}

/** The values of one picture, [channels, height, width] or [height, width, channels]. */
async function readImage(file: string, { channels, isChannelsLast }: ImageInput, { size: [height, width], mean, std }: Preparation): Promise<Float32Array> {
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
  return data
}

const dataOf: Readonly<Record<ImageType, (values: Float32Array) => Promise<Tensor['data']>>> = {
  float32: (values) => Promise.resolve(values),
  float16: async (values) => new Uint16Array((await toHalves(values)).buffer),
  uint8: (values) => Promise.resolve(Uint8Array.from(values, Math.round)),
}

/** Pictures as the graph's input. */
async function readImages(files: readonly string[], input: ImageInput, preparation: Preparation): Promise<Tensor> {
  const { type, channels, isChannelsLast } = input
  const [height, width] = preparation.size
  const values = new Float32Array(files.length * height * width * channels)
  for (const [index, file] of files.entries()) values.set(await readImage(file, input, preparation), index * height * width * channels)
  return { type, dims: isChannelsLast ? [files.length, height, width, channels] : [files.length, channels, height, width], data: await dataOf[type](values) }
}

/** Samples of the images in a folder, in order of their names. */
export async function openImages(model: GraphModel, folder: string, options: ImageOptions, signal: AbortSignal): Promise<SampleSource> {
  const names = (await readdir(folder)).filter((name) => endings.has(path.extname(name).toLowerCase())).sort()
  if (names.length === 0 || names.length > FILES_MAX) throw new AppError('bad-data', `${folder}: found ${names.length} images, expected 1 to ${FILES_MAX} (${[...endings].join(', ')})`, { hint: 'Choose a folder with the pictures themselves in it.' })
  const input = neededInput(model)
  const preparation = await prepare(model, input, options)
  const { batch } = input
  if (names.length < batch) throw new AppError('bad-data', `${folder}: found ${names.length} images, expected at least ${batch}: the model takes that many at a time`, { hint: 'Add pictures, or export the model with a free batch size.' })
  return {
    count: Math.floor(names.length / batch),
    sha256: await sha256Files(names.map((name) => ({ name, path: path.join(folder, name) })), signal),
    notes: preparation.notes,
    async sample(index) {
      const files = names.slice(index * batch, (index + 1) * batch).map((name) => path.join(folder, name))
      return { feeds: { [input.name]: await readImages(files, input, preparation) }, labels: null }
    },
    close: () => Promise.resolve(),
  }
}
