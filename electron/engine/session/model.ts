/**
 * @file A decoder language model in a Hugging Face folder or a GGUF file: its spec, its layers, and reading of one weight at a
 * time as dense float32. Every tensor of the file is accounted for when it is opened.
 */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { familyOfGguf, familyOfModelType } from '../graph/decoder/families.ts'
import type { Family, GgufTensors } from '../graph/decoder/families/family.ts'
import { readFields } from '../graph/decoder/fields.ts'
import { blockExtras, checkSpec, linearInput, linears, linearShape, modelExtras, type DecoderSpec } from '../graph/decoder/spec.ts'
import { asStored, checkTensors, findPrefix, placements, type Placement } from '../graph/decoder/weights.ts'
import type { Checkpoint } from '../io/checkpoint.ts'
import { readJson } from '../io/json.ts'
import { openCheckpoint } from '../io/open.ts'
import { elementCount } from '../io/types.ts'
import type { Layer, LayeredModel } from '../model.ts'
import { checkFinite, readPlaced } from './read-weight.ts'

export interface DecoderModel extends LayeredModel {
  readonly spec: DecoderSpec
  readonly family: Family
  /** config.json, or null for a GGUF file. */
  readonly config: Readonly<Record<string, unknown>> | null
  /** Where each weight, norm and bias lies in the file, by canonical name. */
  readonly places: ReadonlyMap<string, Placement>
  /** Dense float32 [out, in] of a layer, a new array. Throws bad-weights where it holds NaN or infinities. */
  readonly readWeight: (layer: string) => Promise<Float32Array>
  /** Rows [first, last) of `embedding` or `head`; a tied head reads the embedding. */
  readonly readRows: (table: 'embedding' | 'head', rows: readonly [number, number]) => Promise<Float32Array>
  /** Norms and biases of a block under their short names, or of the model outside the blocks (null). */
  readExtras(block: number | null): Promise<Readonly<Record<string, Float32Array>>>
  close(): Promise<void>
}

/** Rotary factor tensors of a GGUF file: one number a pair of a head's dimensions, of which published models have at most 256. */
const FACTORS_MAX = 4096
const factorNames = ['rope_freqs.weight', 'rope_factors_long.weight', 'rope_factors_short.weight']

async function readFactors(checkpoint: Checkpoint): Promise<GgufTensors['factors']> {
  const factors: Record<string, readonly number[]> = {}
  for (const name of factorNames) {
    const count = elementCount(checkpoint.tensors.get(name)?.shape ?? [0]) ?? 0
    if (count > FACTORS_MAX) throw new AppError('file-malformed', `${checkpoint.path}: tensor ${name}: found ${count} values, expected at most ${FACTORS_MAX}`, { hint: 'The file is damaged.' })
    if (count > 0) factors[name] = [...(await checkpoint.readFloat(name))]
  }
  return factors
}

interface Description {
  readonly spec: DecoderSpec
  readonly family: Family
  readonly config: Readonly<Record<string, unknown>> | null
  readonly places: ReadonlyMap<string, Placement>
}

async function describeGguf(checkpoint: Checkpoint): Promise<Description> {
  const where = checkpoint.path
  const architecture = readFields(checkpoint.metadata, where).text('general.architecture')
  const family = familyOfGguf(where, architecture)
  const tensors = { factors: await readFactors(checkpoint), shape: (name: string) => checkpoint.tensors.get(name)?.shape ?? null }
  const spec = checkSpec(family.fromGguf(readFields(checkpoint.metadata, where, `${architecture}.`), tensors), where)
  return { spec, family, config: null, places: placements(spec, family.ggufNames, '') }
}

async function describeFolder(checkpoint: Checkpoint, source: string): Promise<Description> {
  const folder = /\.(safetensors|json)$/i.test(source) ? path.dirname(source) : source
  const where = path.join(folder, 'config.json')
  const config = await readJson(where)
  const fields = readFields(config, where)
  const family = familyOfModelType(where, fields.text('model_type'))
  const spec = checkSpec(family.fromConfig(fields), where)
  return { spec, family, config, places: asStored(placements(spec, family.names, findPrefix(checkpoint.tensors, family)), checkpoint.tensors) }
}

/** Layers that must be given one option because a file format stores them as one tensor. */
function tie(place: Placement | undefined, name: string): string | null {
  return place?.source.part === undefined ? null : `${name.replace(/\.[^.]+$/, '')}.${place.source.part.of.join('')}`
}

/** The quantizable weights of a decoder: embedding first, then block by block, then the head unless it is tied. */
export function decoderLayers(spec: DecoderSpec, family: Family, places: ReadonlyMap<string, Placement>): readonly Layer[] {
  const table = [spec.vocabulary, spec.hidden] as const
  const fused = placesOfExport(spec, family) ?? places
  const blocks = Array.from({ length: spec.blocks }, (_, block) =>
    linears(spec).map((layer): Layer => {
      const name = `blocks.${block}.${layer}`
      return { name, kind: 'matmul', shape: linearShape(spec, layer), block, ties: tie(fused.get(name), name), input: `blocks.${block}.${linearInput[layer]}` }
    }),
  ).flat()
  const embedding: Layer = { name: 'embedding', kind: 'embedding', shape: table, block: null, ties: null, input: spec.tied ? 'head' : null }
  const head: Layer = { name: 'head', kind: 'matmul', shape: table, block: null, ties: null, input: 'head' }
  return [embedding, ...blocks, ...(spec.tied ? [] : [head])]
}

/** GGUF's places of a model, by which its fused tensors tie layers; null where GGUF has no such architecture. */
function placesOfExport(spec: DecoderSpec, family: Family): ReadonlyMap<string, Placement> | null {
  return family.ggufArchitecture === null ? null : placements(spec, family.ggufNames, '')
}

/**
 * Opens a decoder and checks it whole but for the weights' values.
 * @throws AppError unsupported-architecture, unsupported-tensor, file-malformed, file-missing
 */
export async function openDecoder(source: string, { signal }: Pick<Context, 'signal'>): Promise<DecoderModel> {
  const checkpoint = await openCheckpoint(source, { signal })
  try {
    const description = checkpoint.format === 'gguf' ? await describeGguf(checkpoint) : await describeFolder(checkpoint, source)
    checkTensors(source, checkpoint.tensors, description.places, description.spec, description.family)
    return build(source, checkpoint, description)
  } catch (cause) {
    await checkpoint.close()
    throw cause
  }
}

function build(source: string, checkpoint: Checkpoint, { spec, family, config, places }: Description): DecoderModel {
  const checked = new Set<string>()

  async function read(name: string): Promise<Float32Array> {
    const place = places.get(name)
    if (place === undefined) throw new AppError('bad-request', `${source}: found no layer "${name}" in this model`, { hint: 'Run "halftone inspect" for the names of its layers.' })
    const values = await readPlaced(checkpoint, place, spec)
    if (!checked.has(name)) await checkFinite(values, `${source}: tensor ${place.tensor}`)
    checked.add(name)
    return values
  }

  async function readAll(names: Iterable<string>, prefix: string): Promise<Record<string, Float32Array>> {
    const values: Record<string, Float32Array> = {}
    for (const name of names) values[name] = await read(prefix + name)
    return values
  }

  return {
    path: source,
    checkpoint,
    layers: decoderLayers(spec, family, places),
    elements: [...checkpoint.tensors.values()].reduce((sum, { shape }) => sum + (elementCount(shape) ?? 0), 0),
    spec, family, config, places,
    readWeight: read,
    async readRows(table, rows) {
      const place = places.get(table === 'head' && spec.tied ? 'embedding' : table)
      if (place === undefined) throw new AppError('bad-request', `${source}: found no ${table} in this model`)
      const values = await checkpoint.readFloat(place.tensor, rows)
      await checkFinite(values, `${source}: tensor ${place.tensor}`)
      return values
    },
    readExtras: (block) => (block === null ? readAll(modelExtras(spec).keys(), '') : readAll(blockExtras(spec).keys(), `blocks.${block}.`)),
    close: () => checkpoint.close(),
  }
}
