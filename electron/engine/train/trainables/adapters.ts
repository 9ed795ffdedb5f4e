/**
 * @file Low-rank branches while they are trained. The graphs compute (x·Aᵀ)·Bᵀ, so B enters times alpha / rank and its gradient
 * comes back times the same.
 */
import type { Tensor } from '../../../../kernels/kernels.ts'
import { AppError } from '../../../contract/errors.ts'
import { adapterScale, type Adapter, type LayerAdapter } from '../../correct/adapter.ts'
import { createRandom } from '../../evaluate/sampling.ts'
import type { DecoderModel } from '../../session/model.ts'
import { accumulate, type Trainable } from './trainable.ts'

/** Layers that branches may stand beside. */
function branchable(model: DecoderModel, layers: ReadonlySet<string> | undefined): DecoderModel['layers'] {
  return model.layers.filter(({ name, kind, block }) => kind === 'matmul' && block !== null && layers?.has(name) !== false)
}

/** Refuses a rank above a layer's size. */
export function checkRank(model: DecoderModel, rank: number, layers?: ReadonlySet<string>): void {
  for (const { name, shape: [out, input] } of branchable(model, layers)) {
    if (rank > Math.min(out, input)) throw new AppError('bad-request', `rank ${rank}: expected at most ${Math.min(out, input)}, the smaller side of layer ${name}`, { hint: 'Choose a smaller rank, or leave that layer out.' })
  }
}

/** New branches: A uniform in ±√(3 / in) (He et al. 2015, as LoRA begins), B zero, so that the model starts as it is. */
export function newAdapter(model: DecoderModel, rank: number, { alpha = rank, layers, seed = 0 }: { alpha?: number; layers?: ReadonlySet<string>; seed?: number }): Adapter {
  const random = createRandom(seed)
  const adapter = new Map<string, LayerAdapter>()
  checkRank(model, rank, layers)
  for (const { name, shape: [out, input] } of branchable(model, layers)) {
    const bound = Math.sqrt(3 / input)
    adapter.set(name, { layer: name, rank, alpha, a: Float32Array.from({ length: rank * input }, () => (2 * random() - 1) * bound), b: new Float32Array(out * rank) })
  }
  return adapter
}

/** Copies that may be written to. @throws AppError adapter-mismatch where a branch does not fit the model. */
export function copyAdapter(model: DecoderModel, adapter: Adapter): Map<string, LayerAdapter> {
  return new Map([...adapter].map(([name, branch]) => {
    const layer = model.layers.find((one) => one.name === name)
    const [out, input] = layer?.block === null || layer === undefined ? [0, 0] : layer.shape
    if (out === 0 || branch.a.length !== branch.rank * input || branch.b.length !== out * branch.rank) {
      throw new AppError('adapter-mismatch', `adapter, layer ${name}: found A of ${branch.a.length} and B of ${branch.b.length} numbers at rank ${branch.rank}, expected ${out === 0 ? 'only layers of the blocks of this model' : `${branch.rank * input} and ${out * branch.rank} for [${out}, ${input}]`}`, { hint: 'The adapter is of another model.' })
    }
    return [name, { ...branch, a: branch.a.slice(), b: branch.b.slice() }]
  }))
}

/** Graph inputs of a branch under the layer's short name. */
export function branchFeeds(short: string, branch: LayerAdapter): Record<string, Tensor> {
  const { rank, a, b } = branch
  const scale = adapterScale(branch)
  return {
    [`${short}.a`]: { type: 'float32', dims: [rank, a.length / rank], data: a },
    [`${short}.b`]: { type: 'float32', dims: [b.length / rank, rank], data: scale === 1 ? b : b.map((value) => value * scale) },
  }
}

/** A and B of a branch as two trainables. */
export function adapterTrainables(branch: LayerAdapter, block: number, short: string): Trainable[] {
  const trainable = (part: 'a' | 'b', scale: number): Trainable => {
    const gradient = new Float32Array(branch[part].length)
    const input = `${short}.${part}`
    return { name: `${branch.layer}.${part}`, set: 'adapters', block, values: branch[part], gradient, decays: true, wrt: [input], pull: (gradients) => accumulate(gradient, gradients[input], scale) }
  }
  return [trainable('a', 1), trainable('b', adapterScale(branch))]
}
