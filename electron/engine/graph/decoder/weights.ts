/**
 * @file From canonical names (`embedding`, `blocks.3.q`, `blocks.3.q.bias`, `final_norm`) to the tensors of a file and back:
 * which tensor holds a weight, and as which part of it. Every tensor of the file is used or explicitly ignored.
 */
import { AppError } from '../../../contract/errors.ts'
import type { BlockLayer } from '../../model.ts'
import type { TensorInfo } from '../../io/checkpoint.ts'
import { blockExtras, linears, linearShape, modelExtras, type DecoderSpec } from './spec.ts'
import type { Family, NameTable, Part, Source } from './families/family.ts'

/** Where a weight or a norm lies in the file. */
export interface Placement {
  readonly name: string
  readonly tensor: string
  /** Shape of the value itself: [out, in] or [length]. */
  readonly shape: readonly number[]
  readonly source: Source
  /** Rows of each weight of a fused tensor, in its order; this weight alone otherwise. */
  readonly rows: readonly number[]
  /** Which of them this one is. */
  readonly index: number
}

/** Splits `blocks.3.q.bias` into block 3, `q` and `bias`. */
function parse(name: string): { block: number | null; stem: string; suffix: 'weight' | 'bias' } {
  const match = /^(?:blocks\.(\d+)\.)?(.+?)(\.bias)?$/.exec(name)
  return { block: match?.[1] === undefined ? null : Number(match[1]), stem: match?.[2] ?? name, suffix: match?.[3] === undefined ? 'weight' : 'bias' }
}

/** Name and shape of everything the model computes with, layers and extras, in the order of computation. */
export function modelTensors(spec: DecoderSpec): ReadonlyMap<string, readonly number[]> {
  const all = new Map<string, readonly number[]>([['embedding', [spec.vocabulary, spec.hidden]]])
  for (let block = 0; block < spec.blocks; block++) {
    for (const layer of linears(spec)) all.set(`blocks.${block}.${layer}`, linearShape(spec, layer))
    for (const [name, length] of blockExtras(spec)) all.set(`blocks.${block}.${name}`, [length])
  }
  for (const [name, shape] of modelExtras(spec)) all.set(name, shape)
  if (!spec.tied) all.set('head', [spec.vocabulary, spec.hidden])
  return all
}

function isBlockLayer(name: string): name is BlockLayer {
  return ['q', 'k', 'v', 'o', 'gate', 'up', 'down'].includes(name)
}

/** The places of all tensors of a model under a name table. */
export function placements(spec: DecoderSpec, names: NameTable, prefix: string): ReadonlyMap<string, Placement> {
  const rowsOf = (part: Part): number[] => part.of.filter(isBlockLayer).map((name) => linearShape(spec, name)[0])
  return new Map(
    [...modelTensors(spec)].map(([name, shape]) => {
      const { block, stem, suffix } = parse(name)
      const source = names[stem]
      if (source === undefined) throw new Error(`no tensor name for ${name}`)
      const module = source.module.startsWith('/') ? source.module.slice(1) : prefix + source.module
      const tensor = `${module.replace('{i}', String(block))}.${suffix}`
      return [name, { name, tensor, shape, source, rows: source.part ? rowsOf(source.part) : [shape[0] ?? 0], index: source.part ? source.part.of.indexOf(stem) : 0 }]
    }),
  )
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

/** The shape a file must have for the tensor of a placement. */
export function storedShape({ shape, source, rows }: Placement): readonly number[] {
  const [, ...rest] = shape
  return source.transposed === true && rest.length === 1 ? [...rest, sum(rows)] : [sum(rows), ...rest]
}

/** First and last row of a placement inside its stacked tensor. */
export function rowRange({ rows, index }: Placement): readonly [number, number] {
  return [sum(rows.slice(0, index)), sum(rows.slice(0, index + 1))]
}

/** Places as the file has them: quantized layouts store every linear layer [out, in], also where the plain file is transposed. */
export function asStored(places: ReadonlyMap<string, Placement>, tensors: ReadonlyMap<string, TensorInfo>): ReadonlyMap<string, Placement> {
  return new Map(
    [...places].map(([name, place]) => {
      const isPacked = tensors.get(place.tensor)?.type.startsWith('int') === true
      return [name, isPacked ? { ...place, source: { ...place.source, transposed: false } } : place]
    }),
  )
}

/** The prefix under which a Hugging Face file has its embedding. */
export function findPrefix(tensors: ReadonlyMap<string, TensorInfo>, family: Family): string {
  const module = family.names.embedding?.module ?? ''
  return family.prefixes.find((prefix) => tensors.has(`${prefix}${module}.weight`)) ?? family.prefixes[0] ?? ''
}

const NAMES_SHOWN = 4

function listed(names: readonly string[]): string {
  return names.slice(0, NAMES_SHOWN).join(', ') + (names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '')
}

/** Throws unless the file has exactly the tensors of the placements, in their shapes, and besides them only ignored ones. */
export function checkTensors(where: string, tensors: ReadonlyMap<string, TensorInfo>, places: ReadonlyMap<string, Placement>, spec: DecoderSpec, family: Family): void {
  const missing = [...places.values()].filter(({ tensor }) => !tensors.has(tensor)).map(({ tensor }) => tensor)
  if (missing.length > 0) {
    throw new AppError('file-malformed', `${where}: found no tensor ${listed([...new Set(missing)])}, expected all tensors of a ${spec.architecture} model with ${spec.blocks} blocks`, {
      hint: 'The file is incomplete, or its configuration is of another model.',
      details: { missing: missing.slice(0, NAMES_SHOWN) },
    })
  }
  for (const place of places.values()) {
    const found = tensors.get(place.tensor)?.shape ?? []
    const expected = storedShape(place)
    if (found.length !== expected.length || found.some((dimension, axis) => dimension !== expected[axis])) {
      throw new AppError('file-malformed', `${where}: tensor ${place.tensor}: found shape [${found.join(', ')}], expected [${expected.join(', ')}]`, {
        hint: 'The configuration beside the weights is of another model, or the file is damaged.',
        details: { tensor: place.tensor },
      })
    }
  }
  const used = new Set([...places.values()].map(({ tensor }) => tensor))
  const tied = spec.tied ? [/^(lm_head|output)\.weight$/] : []
  const unexpected = [...tensors.keys()].filter((name) => !used.has(name) && ![...family.ignored, ...tied].some((pattern) => pattern.test(name)))
  if (unexpected.length > 0) {
    throw new AppError('unsupported-tensor', `${where}: found tensor ${listed(unexpected)}, expected only those of a plain ${spec.architecture} model`, {
      hint: 'The model has parts that are not supported (adapters, experts, other heads); nothing is skipped silently.',
      details: { unexpected: unexpected.slice(0, NAMES_SHOWN) },
    })
  }
}
