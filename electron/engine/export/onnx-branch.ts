/**
 * @file Low-rank branches in an exported graph, by stock operators: y + (x·Aᵀ)·Bᵀ as two MatMuls and an Add. Factors are stored
 * transposed, in float16, or as int8 codes whose scales are multiplied in between, where a row has only `rank` numbers.
 */
import { adapterScale, type LayerAdapter } from '../correct/adapter.ts'
import type { AdapterStorage } from '../correct/adapter-storage.ts'
import { int8Rows } from '../correct/round-branch.ts'
import type { Initializer } from '../graph/graph.ts'
import { toHalves } from '../io/float.ts'
import type { WeightStore } from './onnx-layers.ts'

export interface StoredBranches {
  /** Rank of each layer; 0 or missing where it has no branch. */
  readonly ranks: ReadonlyMap<string, number>
  readonly storage: AdapterStorage
  readonly read: (layer: string) => Promise<LayerAdapter>
}

interface Place {
  readonly name: string
  /** [out, in] */
  readonly shape: readonly [number, number]
  readonly x: string
  readonly y: string
}

const float32 = 1 // ONNX's number of the type

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: values.length }, (_, at) => values[(at % rows) * cols + Math.floor(at / rows)])
}

/** A [rank, in] and Bᵀ [rank, out] with the branch's factor in it. */
function factors({ a, b, rank, alpha }: LayerAdapter): { a: Float32Array; b: Float32Array } {
  const scale = adapterScale({ rank, alpha })
  return { a, b: transposed(scale === 1 ? b : b.map((value) => value * scale), b.length / rank, rank) }
}

/** y with the layer's branch added, or y itself where it has none. */
export function addBranch(store: WeightStore, { ranks, storage, read }: StoredBranches, place: Place): string {
  const rank = ranks.get(place.name) ?? 0
  if (rank === 0) return place.y
  const { b: graph } = store
  const { name, shape: [rows, cols], x, y } = place
  const dims = [['a', [cols, rank]], ['b', [rank, rows]]] as const
  const widened = (initializer: Initializer): string => graph.one('Cast', [graph.initializer(initializer)], { to: { int: float32 } })
  const add = (narrow: string, b: string): string => graph.one('Add', [y, graph.one('MatMul', [narrow, b])])
  if (storage === 'float16') {
    const [a, b] = store.data.add(`${name}.branch`, dims.map(([part, shape]) => ({ name: `${name}.${part}`, type: 'float16' as const, dims: shape })), async () => {
      const values = factors(await read(name))
      return [await toHalves(transposed(values.a, rank, cols)), await toHalves(values.b)]
    })
    return add(graph.one('MatMul', [x, widened(a)]), widened(b))
  }
  const parts = [...dims.map(([part, shape]) => ({ name: `${name}.${part}`, type: 'int8' as const, dims: shape })), ...dims.map(([part]) => ({ name: `${name}.${part}.scales`, type: 'float16' as const, dims: [rank] }))]
  const [a, b, scalesOfA, scalesOfB] = store.data.add(`${name}.branch`, parts, async () => {
    const values = factors(await read(name))
    const [codesOfA, codesOfB] = [await int8Rows(values.a, cols), await int8Rows(values.b, rows)]
    const turned = Int8Array.from({ length: cols * rank }, (_, at) => codesOfA.codes[(at % rank) * cols + Math.floor(at / rank)])
    const bytes = (codes: Int8Array): Uint8Array => new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength)
    return [bytes(turned), bytes(codesOfB.codes), await toHalves(codesOfA.scales), await toHalves(codesOfB.scales)]
  })
  const scales = graph.one('Mul', [widened(scalesOfA), widened(scalesOfB)])
  return add(graph.one('Mul', [graph.one('MatMul', [x, widened(a)]), scales]), widened(b))
}
