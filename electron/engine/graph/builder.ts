/**
 * @file Writes ONNX graphs node by node: values are names, `node` returns the names of its outputs. Names are made unique
 * from the operator's name, constants of equal value are shared.
 */
import type { DataType } from '../../../kernels/kernels.ts'
import type { Attribute, Dimension, Graph, Initializer, Node, ValueInfo } from './graph.ts'

export interface NodeOptions {
  readonly domain?: string
  /** Names wanted for the outputs, or how many there are (default 1). */
  readonly outputs?: number | readonly string[]
}

export type Attributes = Readonly<Record<string, Attribute>>

export interface Builder {
  input(name: string, type: DataType, shape: readonly Dimension[]): string
  /** Adds a node; returns its outputs. An absent optional input is ''. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, options?: NodeOptions): readonly string[]
  /** Adds a node and returns its first output. */
  one(op: string, inputs: readonly string[], attributes?: Attributes, options?: NodeOptions): string
  /** A constant int64 vector, or a scalar where a number is given. */
  ints(values: number | readonly number[]): string
  /** A constant float (or double) vector, or a scalar where a number is given. */
  floats(values: number | readonly number[], type?: 'float32' | 'float64'): string
  initializer(value: Initializer): string
  /** A null shape is left to inference. */
  output(value: string, type: DataType, shape: readonly Dimension[] | null): void
  /** A name not used yet, beginning with `stem`. */
  fresh(stem: string): string
  build(name: string, metadata?: Readonly<Record<string, string>>): Graph
}

/** Operator sets of graphs that run inside Halftone. */
export const standardOpset: Readonly<Record<string, number>> = { '': 21, 'com.microsoft': 1, halftone: 1 }

function bytesOf(values: readonly number[], type: 'int64' | 'float32' | 'float64'): Uint8Array {
  const array = type === 'int64' ? BigInt64Array.from(values, BigInt) : type === 'float32' ? Float32Array.from(values) : Float64Array.from(values)
  return new Uint8Array(array.buffer)
}

/** An empty graph to write into. */
export function createBuilder(opset: Readonly<Record<string, number>> = standardOpset): Builder {
  const inputs: ValueInfo[] = []
  const outputs: ValueInfo[] = []
  const nodes: Node[] = []
  const initializers = new Map<string, Initializer>()
  const constants = new Map<string, string>()
  const used = new Map<string, number>()

  function fresh(stem: string): string {
    const count = used.get(stem) ?? 0
    used.set(stem, count + 1)
    const name = count === 0 ? stem : `${stem}_${count}`
    if (count === 0 || !used.has(name)) {
      used.set(name, Math.max(used.get(name) ?? 0, 1))
      return name
    }
    return fresh(stem)
  }

  function initializer(value: Initializer): string {
    used.set(value.name, Math.max(used.get(value.name) ?? 0, 1))
    initializers.set(value.name, value)
    return value.name
  }

  function constant(values: number | readonly number[], type: 'int64' | 'float32' | 'float64'): string {
    const list = typeof values === 'number' ? [values] : values
    const key = `${type}${typeof values === 'number' ? '' : '[]'} ${list.map((value) => Object.is(value, -0) ? '-0' : String(value)).join()}`
    const known = constants.get(key)
    if (known !== undefined) return known
    const name = initializer({ name: fresh('constant'), type, dims: typeof values === 'number' ? [] : [list.length], data: bytesOf(list, type) })
    constants.set(key, name)
    return name
  }

  function node(op: string, nodeInputs: readonly string[], attributes: Attributes = {}, { domain = '', outputs: wanted = 1 }: NodeOptions = {}): readonly string[] {
    const name = fresh(op)
    const names = typeof wanted === 'number' ? Array.from({ length: wanted }, (_, index) => fresh(wanted === 1 ? `${op}:out` : `${op}:out${index}`)) : wanted
    for (const output of names) used.set(output, Math.max(used.get(output) ?? 0, 1))
    nodes.push({ op, domain, name, inputs: nodeInputs, outputs: names, attributes })
    return names
  }

  return {
    input(name, type, shape) {
      used.set(name, Math.max(used.get(name) ?? 0, 1))
      inputs.push({ name, type, shape })
      return name
    },
    node,
    one(op, nodeInputs, attributes, options) {
      return node(op, nodeInputs, attributes, options)[0] ?? ''
    },
    ints: (values) => constant(values, 'int64'),
    floats: (values, type = 'float32') => constant(values, type),
    initializer,
    output(value, type, shape) {
      outputs.push({ name: value, type, shape })
    },
    fresh,
    build: (name, metadata = {}) => ({ name, opset, inputs, outputs, nodes, initializers, values: new Map(), metadata }),
  }
}
