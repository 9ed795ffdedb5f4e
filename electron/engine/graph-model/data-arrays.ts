/**
 * @file Samples from NumPy arrays: one named as each input, samples along the first axis, optional `labels`. An input with a fixed
 * batch takes that many at a time; an array in exactly an input's own shape, without a batch or beside more samples of another input,
 * is given with every sample.
 */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { openBytes } from '../io/byte-file.ts'
import { sha256File } from '../io/hash.ts'
import { openNpy, type NpyArray } from '../io/npy.ts'
import { openNpz } from '../io/npz.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { ValueInfo } from '../graph/graph.ts'
import type { SampleSource } from './data.ts'
import { fitInput, inputText, shapeFits } from './input-shape.ts'
import type { GraphModel } from './open.ts'

const labelsName = 'labels'

interface Arrays {
  readonly arrays: ReadonlyMap<string, NpyArray>
  readonly close: () => Promise<void>
}

async function openFile(model: GraphModel, file: string): Promise<Arrays> {
  if (/\.npz$/i.test(file)) return openNpz(file)
  const inputs = model.graph.inputs.map(({ name }) => name)
  const [only = ''] = inputs
  if (inputs.length !== 1) throw new AppError('bad-data', `${file}: found one array, expected one for each of the inputs ${inputs.join(', ')}`, { hint: 'Save them together with numpy.savez(file, INPUT_NAME=array).' })
  const bytes = await openBytes(file)
  const array = await openNpy({ where: file, sizeBytes: bytes.sizeBytes, read: (offset, length) => bytes.read(offset, length, path.basename(file)) })
  return { arrays: new Map([[only, array]]), close: () => bytes.close() }
}

/** How an input takes an array: rows of it for every sample, or all of it always. */
interface Fed {
  readonly input: ValueInfo
  readonly array: NpyArray
  readonly isShared: boolean
}

function fedInputs({ graph: { inputs } }: GraphModel, arrays: ReadonlyMap<string, NpyArray>, file: string): Fed[] {
  const given = [...arrays.keys()].filter((name) => name !== labelsName)
  return inputs.map((input) => {
    const array = arrays.get(input.name)
    if (array === undefined) {
      throw new AppError('bad-data', `${file}: found ${given.length === 0 ? 'no arrays' : `arrays ${given.join(', ')}`}, expected one named '${input.name}' (${inputText(input)})`, { hint: `Name the arrays as the inputs: numpy.savez(file, ${inputs.map(({ name }) => `**{'${name}': …}`).join(', ')}).` })
    }
    const [first] = input.shape ?? []
    const [count] = array.shape
    // All of the input, beside inputs of more samples: a state, a rate, a scale.
    const isWhole = (count === 1 || count === first) && shapeFits(input.shape, array.shape) && inputs.some(({ name }) => (arrays.get(name)?.shape[0] ?? count) !== count)
    const isBatched = input.shape === null || (input.shape.length > 0 && shapeFits([null, ...input.shape.slice(1)], array.shape) && !isWhole)
    if (!isBatched && !shapeFits(input.shape, array.shape)) {
      throw new AppError('bad-data', `${file}: input '${input.name}': found ${array.type} [${array.shape.join(', ')}], expected ${inputText(input)} with any number of samples along the first axis`, { hint: 'Give the array the axes of the input, samples first.' })
    }
    return { input, array, isShared: !isBatched }
  })
}

/** Samples of an NPZ or NPY file. */
export async function openArrays(model: GraphModel, file: string): Promise<SampleSource> {
  const { arrays, close } = await openFile(model, file)
  try {
    const fed = fedInputs(model, arrays, file)
    const batched = fed.filter(({ isShared }) => !isShared)
    const batch = batched.map(({ input }) => input.shape?.[0]).find((size): size is number => typeof size === 'number') ?? 1
    const [first] = batched
    const total = first?.array.shape[0] ?? 1
    const labels = arrays.get(labelsName) ?? null
    for (const [name, array] of [...batched.map(({ input, array: own }) => [input.name, own] as const), ...(labels === null ? [] : [[labelsName, labels] as const])]) {
      if (array.shape[0] !== total) throw new AppError('bad-data', `${file}: found ${array.shape[0] ?? 1} entries of '${name}' and ${total} of '${first?.input.name ?? ''}', expected as many of each`, { hint: 'Samples stand along the first axis of every array.' })
    }
    const known = new Set(model.graph.inputs.map(({ name }) => name))
    const unused = [...arrays.keys()].filter((name) => name !== labelsName && !known.has(name))
    const take = async ({ input, array, isShared }: Fed, index: number): Promise<Tensor> =>
      fitInput(input, await (isShared ? array.rows(0, array.shape[0] ?? 1) : array.rows(index * batch, batch)), file)
    return {
      count: Math.floor(total / batch),
      sha256: await sha256File(file),
      notes: unused.map((name) => `${file}: the array '${name}' is no input of the model and is not used`),
      async sample(index) {
        const feeds: Record<string, Tensor> = {}
        for (const one of fed) feeds[one.input.name] = await take(one, index)
        return { feeds, labels: labels === null ? null : await labels.rows(index * batch, batch) }
      },
      close,
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
