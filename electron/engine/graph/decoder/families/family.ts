/**
 * @file What a row of the family table says: how config.json and GGUF metadata become a DecoderSpec, and which tensor of the
 * file holds which weight. A canonical name (`q`, `attention_norm`, …) stands for a module; its tensors are module.weight
 * and module.bias. The same table read backwards names the tensors of an export.
 */
import { AppError } from '../../../../contract/errors.ts'
import type { Fields } from '../fields.ts'
import type { DecoderSpec } from '../spec.ts'

/** A part of a module that holds several weights: rows stacked one after the other, or head by head (BLOOM: q, k, v of each head). */
export interface Part {
  readonly of: readonly string[]
  readonly order: 'stacked' | 'by-head'
}

export interface Source {
  /** Module name; `{i}` is the block; a leading `/` means that the family's prefix does not stand before it. */
  readonly module: string
  readonly part?: Part
  /** Stored [in, out]. */
  readonly transposed?: boolean
  /** Rows of every head lie as rotary pairs (0, d/2, 1, d/2 + 1, …), llama.cpp's order for the llama architecture. */
  readonly pairs?: boolean
  /** Added to the stored values: Gemma's norms multiply by 1 + w and store w. */
  readonly plus?: number
}

export type NameTable = Readonly<Record<string, Source>>

/** What a GGUF file says of itself beside its key-values. */
export interface GgufTensors {
  readonly shape: (tensor: string) => readonly number[] | null
  /** Values of `rope_freqs.weight`, `rope_factors_long.weight`, `rope_factors_short.weight` where there are such. */
  readonly factors: Readonly<Partial<Record<string, readonly number[]>>>
}

export interface Family {
  /** Values of config.json's model_type. */
  readonly modelTypes: readonly string[]
  /** llama.cpp's name of the architecture; null where it has none. */
  readonly ggufArchitecture: string | null
  readonly fromConfig: (config: Fields) => DecoderSpec
  readonly fromGguf: (metadata: Fields, tensors: GgufTensors) => DecoderSpec
  readonly names: NameTable
  readonly ggufNames: NameTable
  /** What may stand before every module name of a Hugging Face file, most usual first. */
  readonly prefixes: readonly string[]
  /** Tensors that hold no weights: masks and frequency tables that follow from the configuration. */
  readonly ignored: readonly RegExp[]
  /** What of a model GGUF cannot say, or null. Told before an export. */
  readonly ggufGap: (spec: DecoderSpec) => string | null
  /** What a GGUF file says and llama.cpp does not do, as a sentence; missing where it does all. */
  readonly ggufIgnored?: (spec: DecoderSpec) => string | null
}

/** Refuses a description in which one of `features` is switched on: key → what it would need. */
export function refuse(fields: Fields, features: Readonly<Record<string, string>>): void {
  for (const [key, feature] of Object.entries(features)) {
    const found = fields.raw(key)
    if (found === undefined || found === false || found === 0) continue
    throw new AppError('unsupported-architecture', `${fields.where}: ${key}: found ${JSON.stringify(found)}, expected none: ${feature} is not supported`, {
      hint: 'Supported are dense decoder-only language models without this feature; choose another model.',
      details: { key, feature },
    })
  }
}
