/** @file Builders of small model files for tests, right or wrong byte by byte. They share no code with the readers and writers. */

/** Little-endian number of `bytes` bytes. */
export function le(value: number | bigint, bytes: number): Buffer {
  const out = Buffer.alloc(bytes)
  let rest = BigInt(value)
  for (let i = 0; i < bytes; i++) {
    out[i] = Number(rest & 255n)
    rest >>= 8n
  }
  return out
}

/** A safetensors file of a header (object, or raw text) and data; `length` lies about the header's length. */
export function buildSafetensors(header: string | Record<string, unknown>, data: Uint8Array | number, length?: number | bigint): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  return Buffer.concat([le(length ?? text.length, 8), text, typeof data === 'number' ? Buffer.alloc(data) : data])
}

/** A GGUF string; `length` lies about its length. */
export function gstring(text: string, length?: number | bigint): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([le(length ?? bytes.length, 8), bytes])
}

/** A string key-value of a GGUF file. */
export function stringEntry(key: string, value: string): Buffer {
  return Buffer.concat([gstring(key), le(8, 4), gstring(value)])
}

/** A u32 key-value of a GGUF file. */
export function u32Entry(key: string, value: number): Buffer {
  return Buffer.concat([gstring(key), le(4, 4), le(value, 4)])
}

/** A tensor info of a GGUF file: dimensions innermost first, as stored. */
export function tensorInfo(name: string, dimensions: readonly (number | bigint)[], type: number, offset: number | bigint): Buffer {
  return Buffer.concat([gstring(name), le(dimensions.length, 4), ...dimensions.map((n) => le(n, 8)), le(type, 4), le(offset, 8)])
}

export interface GgufParts {
  readonly magic?: string
  readonly version?: number
  readonly tensorCount?: number | bigint
  readonly keyCount?: number | bigint
  readonly entries?: readonly Buffer[]
  readonly tensors?: readonly Buffer[]
  readonly alignment?: number
  /** Bytes of data, after the padding. */
  readonly data?: number
}

/** A GGUF file of its parts; counts may lie. */
export function buildGguf({ magic = 'GGUF', version = 3, entries = [], tensors = [], alignment = 32, data = 0, ...counts }: GgufParts): Buffer {
  const head = Buffer.concat([Buffer.from(magic), le(version, 4), le(counts.tensorCount ?? tensors.length, 8), le(counts.keyCount ?? entries.length, 8), ...entries, ...tensors])
  return Buffer.concat([head, Buffer.alloc((alignment - (head.length % alignment)) % alignment), Buffer.alloc(data)])
}
