/**
 * @file Samples from JSON lines: records with the inputs themselves (`input_ids` …), or with a text that the tokenizer.json beside the
 * model encodes. Texts are cut to `length` tokens; a model with a fixed length gets them padded to it.
 */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { dataKind, rowReaders } from '../io/data-rows.ts'
import { sha256File } from '../io/hash.ts'
import type { JsonObject } from '../io/json.ts'
import { openTokenizer, type Tokenizer } from '../io/tokenizer.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph, ValueInfo } from '../graph/graph.ts'
import type { SampleSource } from './data.ts'
import { inputText } from './input-shape.ts'
import type { GraphModel } from './open.ts'

interface Encoded {
  readonly ids: readonly number[]
  readonly mask: readonly number[]
  readonly types: readonly number[]
  /** A label of the record, a class. */
  readonly label: number | null
}

/** What each input of a text model is made from. */
const makers: Readonly<Record<string, (encoded: Encoded) => readonly number[]>> = {
  input_ids: ({ ids }) => ids,
  attention_mask: ({ mask }) => mask,
  token_type_ids: ({ types }) => types,
  position_ids: ({ ids }) => ids.map((_, at) => at),
}

const integers = new Set(['int64', 'int32'])

/** An input that cannot be made from tokens. */
const oddInput = ({ inputs }: Pick<Graph, 'inputs'>): ValueInfo | undefined => inputs.find((input) => makers[input.name] === undefined || !integers.has(input.type) || (input.shape !== null && input.shape.length !== 2))

/** Whether all inputs can be made from tokens. */
export function takesTokens(graph: Pick<Graph, 'inputs'>): boolean {
  return graph.inputs.length > 0 && oddInput(graph) === undefined
}

function checkInputs({ path: file, graph }: GraphModel): void {
  if (takesTokens(graph)) return
  const odd = oddInput(graph)
  throw new AppError('bad-data', `${file}: found the input ${odd === undefined ? '(none)' : `'${odd.name}' ${inputText(odd)}`}; JSON lines can feed ${Object.keys(makers).join(', ')} as whole numbers [batch, length]`, { hint: 'Prepare the inputs yourself and give them as .npz.' })
}

const numbers = (value: unknown): number[] | null => (Array.isArray(value) && value.length > 0 && value.every((one) => Number.isSafeInteger(one)) ? value as number[] : null)

function fromRecord(record: JsonObject): Encoded | null {
  const ids = numbers(record.input_ids)
  if (ids === null) return null
  const same = (value: unknown, fallback: number): number[] => {
    const found = numbers(value)
    return found !== null && found.length === ids.length ? found : ids.map(() => fallback)
  }
  return { ids, mask: same(record.attention_mask, 1), types: same(record.token_type_ids, 0), label: labelOf(record) }
}

const labelOf = ({ label }: JsonObject): number | null => (typeof label === 'number' && Number.isSafeInteger(label) ? label : null)

/** Ids of a text between the special tokens the tokenizer's own template puts around it. */
async function encode(tokenizer: Tokenizer, text: string, most: number, signal: AbortSignal): Promise<number[]> {
  const [before, after] = tokenizer.around()
  const inner = await tokenizer.encode(text, signal)
  return [...before, ...inner.subarray(0, Math.max(1, most - before.length - after.length)), ...after]
}

function fixedLength({ inputs }: GraphModel['graph']): number | null {
  const size = inputs.map(({ shape }) => shape?.[1]).find((one) => typeof one === 'number')
  return typeof size === 'number' ? size : null
}

function tensorOf({ type }: ValueInfo, values: readonly number[]): Tensor {
  return type === 'int32' ? { type: 'int32', dims: [1, values.length], data: Int32Array.from(values) } : { type: 'int64', dims: [1, values.length], data: BigInt64Array.from(values, BigInt) }
}

/** Samples of a JSON lines file. */
export async function openTokens(model: GraphModel, file: string, { length }: { readonly length: number }, signal: AbortSignal): Promise<SampleSource> {
  checkInputs(model)
  const kind = dataKind(file)
  if (kind === null) throw new AppError('bad-data', `${file}: found a file ending in "${path.extname(file)}", expected .jsonl`)
  const fixed = fixedLength(model.graph)
  const most = fixed ?? length
  let tokenizer: Tokenizer | null = null
  const samples: Encoded[] = []
  for await (const row of rowReaders[kind].read(file, { signal })) {
    const record = 'record' in row ? row.record : undefined
    const given = record === undefined ? null : fromRecord(record)
    if (given !== null) samples.push(cut(given, most))
    else if ('text' in row) {
      const ids = await encode(tokenizer ??= await openTokenizer(model.path), row.text, most, signal)
      samples.push({ ids, mask: ids.map(() => 1), types: ids.map(() => 0), label: record === undefined ? null : labelOf(record) })
    } else throw new AppError('bad-data', `${row.file}: row ${row.row}: ${row.reason}; expected "text", or "input_ids" as a list of whole numbers`, { hint: 'One JSON object a line.' })
  }
  const pad = tokenizer?.idOf('[PAD]') ?? tokenizer?.idOf('<pad>') ?? 0
  const filled = samples.map((sample) => (fixed === null ? sample : padded(sample, fixed, pad)))
  return {
    count: filled.length,
    sha256: await sha256File(file, signal),
    notes: [],
    sample: (index) => Promise.resolve({
      feeds: Object.fromEntries(model.graph.inputs.map((input) => [input.name, tensorOf(input, makers[input.name](filled[index]))])),
      labels: filled[index].label === null ? null : { type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(filled[index].label)) },
    }),
    close: () => Promise.resolve(),
  }
}

const cut = ({ ids, mask, types, label }: Encoded, most: number): Encoded => ({ ids: ids.slice(0, most), mask: mask.slice(0, most), types: types.slice(0, most), label })

function padded({ ids, mask, types, label }: Encoded, length: number, pad: number): Encoded {
  const fill = (values: readonly number[], value: number): number[] => [...values, ...new Array<number>(Math.max(0, length - values.length)).fill(value)]
  return { ids: fill(ids, pad), mask: fill(mask, 0), types: fill(types, 0), label }
}
