/** @file Samples for an ONNX graph as a person looks at them before they are used: what each input gets, and pictures as pictures. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import type { DataPreview } from '../../contract/engine.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import { floatValues } from './compare.ts'
import { imageInput, type ImageInput } from './data-images.ts'
import { openSamples, type GraphSample, type SampleOptions } from './data.ts'
import { openGraphModel } from './open.ts'

/** Samples looked at. */
const SHOWN = 6
/** Longer side of a picture on the screen. */
const PICTURE_SIDE = 128
const WHITE = 255

async function kindOf(data: string): Promise<DataPreview['kind']> {
  if ((await stat(data)).isDirectory()) return 'images'
  const ending = path.extname(data).toLowerCase()
  return ending === '.npz' ? 'npz' : ending === '.npy' ? 'npy' : 'jsonl'
}

/** What an input gets over some samples: least, mean and most of its values. */
async function describe(name: string, values: readonly Tensor[]): Promise<NonNullable<DataPreview['graph']>['inputs'][number]> {
  let [least, most, sum, count] = [Infinity, -Infinity, 0, 0]
  for (const tensor of values) {
    for (const value of (await floatValues(tensor)) ?? tensor.data) {
      const number = Number(value)
      least = Math.min(least, number)
      most = Math.max(most, number)
      sum += number
      count++
    }
  }
  const [{ type, dims }] = values
  return { name, type, shape: [...dims], least, mean: sum / Math.max(1, count), most }
}

/** A sample's first picture, [batch, channels, height, width] or [batch, height, width, channels], its values spread from black to white. */
async function pictureOf(tensor: Tensor, { channels, isChannelsLast }: ImageInput): Promise<string> {
  const [height, width] = isChannelsLast ? tensor.dims.slice(1) : tensor.dims.slice(2)
  const values = ((await floatValues(tensor)) ?? Float32Array.from<number | bigint>(tensor.data, Number)).subarray(0, height * width * channels)
  const least = values.reduce((found, value) => Math.min(found, value), Infinity)
  const most = values.reduce((found, value) => Math.max(found, value), -Infinity)
  const pixels = new Uint8Array(values.length)
  for (let at = 0; at < height * width; at++) {
    for (let channel = 0; channel < channels; channel++) {
      const value = values[isChannelsLast ? at * channels + channel : channel * height * width + at]
      pixels[at * channels + channel] = most > least ? Math.round(((value - least) / (most - least)) * WHITE) : 0
    }
  }
  const image = sharp(pixels, { raw: { width, height, channels: channels === 1 ? 1 : 3 } }).resize(PICTURE_SIDE, PICTURE_SIDE, { fit: 'inside', kernel: 'nearest' })
  return `data:image/png;base64,${(await image.png().toBuffer()).toString('base64')}`
}

/**
 * Counts the samples of some data and reads the first ones as the graph will get them.
 * @throws AppError bad-data, file-missing
 */
export async function previewGraphData(source: string, data: string, options: SampleOptions, signal: AbortSignal): Promise<DataPreview> {
  const model = await openGraphModel(source)
  const samples = await openSamples(model, data, options, signal)
  try {
    const first: GraphSample[] = []
    for (let index = 0; index < Math.min(SHOWN, samples.count); index++) first.push(await samples.sample(index))
    const picture = imageInput(model.graph)
    const pictures = picture === null ? [] : await Promise.all(first.map(({ feeds }) => pictureOf(feeds[picture.name], picture)))
    return {
      path: data, kind: await kindOf(data), sha256: samples.sha256, rows: samples.count, tokens: 0, windows: samples.count, duplicates: 0, bad: [], samples: [], lengths: [],
      graph: {
        inputs: await Promise.all(model.graph.inputs.map(({ name }) => describe(name, first.map(({ feeds }) => feeds[name])))),
        isLabelled: first.some(({ labels }) => labels !== null),
        pictures,
        notes: [...samples.notes],
      },
    }
  } finally {
    await samples.close()
  }
}
