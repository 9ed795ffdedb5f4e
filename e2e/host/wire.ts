/**
 * @file Carries through JSON what structured clone carries: undefined, bigint, dates, maps, sets, errors, buffers.
 * Runs in Node and, through its source text, inside pages: it must stay self-contained.
 */

export interface Codec {
  pack: (value: unknown) => unknown
  unpack: (value: unknown) => unknown
}

/** `save` and `load` turn bytes into JSON and back. */
export function wire(save: (bytes: Uint8Array) => unknown, load: (saved: unknown) => Uint8Array<ArrayBuffer>): Codec {
  const views = [
    Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  ]

  function pack(value: unknown): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') throw new Error('An object could not be cloned.')
    if (value === undefined || typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return { $: typeof value, v: String(value) }
    if (value === null || typeof value !== 'object') return value
    if (value instanceof ArrayBuffer) return { $: 'ArrayBuffer', v: save(new Uint8Array(value)) }
    if (ArrayBuffer.isView(value)) return { $: value.constructor.name, v: save(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) }
    if (value instanceof Date) return { $: 'Date', v: value.getTime() }
    if (value instanceof Map) return { $: 'Map', v: Array.from(value, ([key, item]) => [pack(key), pack(item)]) }
    if (value instanceof Set) return { $: 'Set', v: Array.from(value, pack) }
    if (value instanceof Error) return { $: 'Error', v: [value.name, value.message, value.stack ?? ''] }
    if (Array.isArray(value)) return value.map(pack)
    return { $: 'Object', v: Object.entries(value).map(([key, item]) => [key, pack(item)]) }
  }

  const items = (v: unknown): unknown[] => (Array.isArray(v) ? v.map(unpack) : [])
  const pair = (v: unknown): [string, unknown] => (Array.isArray(v) ? [String(v[0]), v[1]] : ['', undefined])
  const decoders: Record<string, (v: unknown) => unknown> = {
    undefined: () => undefined,
    number: Number,
    bigint: (v) => BigInt(String(v)),
    ArrayBuffer: (v) => load(v).buffer,
    Date: (v) => new Date(Number(v)),
    Map: (v) => new Map(items(v).map(pair)),
    Set: (v) => new Set(items(v)),
    Error: (v) => {
      const [name, message, stack] = items(v).map(String)
      return Object.assign(new Error(message), { name, stack })
    },
    Object: (v) => Object.fromEntries(items(v).map(pair)),
  }
  for (const view of views) decoders[view.name] = (v) => new view(load(v).buffer)

  function unpack(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unpack)
    if (value === null || typeof value !== 'object') return value
    if (!('$' in value && 'v' in value)) throw new Error('wire: a value without its tag')
    return decoders[String(value.$)](value.v)
  }
  return { pack, unpack }
}
