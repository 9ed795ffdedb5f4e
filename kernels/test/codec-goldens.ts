/** @file Goldens and weights for the tests of the codecs. `goldens/make_codec_goldens.py` wrote the former. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ggufTypes, type CodecName, type GgufReadType, type GgufType, type IntName } from '../../electron/contract/options.ts'
import { kernels, type FitMethod, type Shape } from '../kernels.ts'
import { normals, uniform } from './random.ts'

const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')))
const floats = bytes.transform((data) => new Float32Array(data.buffer))
/** Types that files are read from and nothing is written to. */
export const readTypes: readonly GgufReadType[] = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ3_XXS', 'IQ3_S']
const perType = <T extends z.ZodType>(value: T) => z.partialRecord(z.enum([...ggufTypes, ...readTypes]), value)
const Goldens = z.object({
  decode: perType(z.object({ blocks: bytes, values: floats })),
  nearest: z.object({ weights: floats, cols: z.number(), blocks: perType(bytes) }),
  search: z.object({ weights: floats, importance: floats, cols: z.number(), errors: perType(z.number()) }),
})

export const goldens = Goldens.parse(JSON.parse(readFileSync(path.join(import.meta.dirname, 'goldens', 'codec-goldens.json'), 'utf8')))

export const plainTypes: readonly GgufType[] = ['F32', 'F16', 'BF16']
export const intNames: readonly IntName[] = ([2, 3, 4, 8] as const).flatMap((bits) => ([32, 64, 128, 'channel'] as const).flatMap((group): IntName[] => {
  const name = group === 'channel' ? `int${bits}-channel` as const : `int${bits}-g${group}` as const
  return [name, `${name}-sym`]
}))
export const codedNames: readonly CodecName[] = [...ggufTypes.filter((type) => !plainTypes.includes(type)), ...intNames]
export const allNames: readonly CodecName[] = [...ggufTypes, ...intNames]

export async function encoded(codec: CodecName, shape: Shape, weights: Float32Array, importance: Float32Array | null, method: FitMethod): Promise<Uint8Array> {
  const out = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, weights, importance, method, out)
  return out
}

export async function decoded(codec: CodecName | GgufReadType, shape: Shape, block: Uint8Array): Promise<Float32Array> {
  const out = new Float32Array(shape.rows * shape.cols)
  await kernels().decode(codec, shape, block, out)
  return out
}

/** Bit patterns, every NaN as one: what "the same float" means here. */
export function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length).map((bit, i) => (Number.isNaN(values[i]) ? 0x7fc00000 : bit))
}

/** Normal weights of differing rows, one in 16 tripled. */
export function weightsLike(shape: Shape, seed: number): Float32Array {
  const next = uniform(seed + 1)
  return normals(shape.rows * shape.cols, seed).map((value) => value * 0.05 * (next() < 1 / 16 ? 3 : 1))
}
