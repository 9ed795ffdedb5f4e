/**
 * @file The names of storage formats ("options" a layer may be given) and of the targets that can hold them.
 * A layer's option is a codec name; the same word is used in plans, files, the command line and on screen.
 */
import { z } from 'zod'

/** GGUF block types, by llama.cpp's names. */
export const ggufTypes = [
  'F32', 'F16', 'BF16', 'Q8_0', 'Q6_K', 'Q5_K', 'Q5_1', 'Q5_0', 'Q4_K', 'Q4_1', 'Q4_0', 'IQ4_NL', 'IQ4_XS', 'MXFP4', 'Q3_K', 'Q2_K', 'TQ2_0', 'TQ1_0',
] as const
export type GgufType = (typeof ggufTypes)[number]
/** GGUF block types that files are read from but nothing is written to. */
export type GgufReadType = 'IQ2_XXS' | 'IQ2_XS' | 'IQ2_S' | 'IQ3_XXS' | 'IQ3_S'

export type IntBits = 2 | 3 | 4 | 8
export type IntGroup = 32 | 64 | 128 | 'channel'
/** Group-wise integers: `int4-g64` is asymmetric (has zero points), `int4-g64-sym` is symmetric. */
export type IntName = `int${IntBits}-g${32 | 64 | 128}${'' | '-sym'}` | `int${IntBits}-channel${'' | '-sym'}`
export type CodecName = GgufType | IntName

/** A storage format and the rank of a low-rank correction beside it, 0 for none. */
export interface RankedOption {
  readonly codec: string
  readonly rank: number
}

/** `Q2_K+r8` → Q2_K at rank 8; a name without `+r` has rank 0. */
export function parseOption(name: string): RankedOption {
  const match = /^(.+)\+r([1-9]\d{0,4})$/.exec(name)
  return match?.[1] === undefined ? { codec: name, rank: 0 } : { codec: match[1], rank: Number(match[2]) }
}

/** The name that `parseOption` reads. */
export function optionName({ codec, rank }: RankedOption): string {
  return rank === 0 ? codec : `${codec}+r${rank}`
}

export const targets = ['gguf', 'onnx', 'safetensors'] as const
export const Target = z.enum(targets)
export type Target = z.infer<typeof Target>
