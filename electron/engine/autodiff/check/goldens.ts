/** @file The golden networks: exported graphs with a cross-entropy loss, and what PyTorch computed for them in double precision. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { openCheckpoint } from '../../io/open.ts'
import { canonical, type CanonicalOptions } from '../../graph/canonical.ts'
import { readModel } from '../../graph/read.ts'
import { withLoss } from '../losses.ts'
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { Graph } from '../../graph/graph.ts'

const Spectra = z.object({
  loss: z.number(),
  layers: z.record(z.string(), z.object({ shape: z.array(z.number()), trace: z.number(), top: z.array(z.number()), smallest: z.number(), largest: z.number() })),
})

export interface Golden {
  readonly graph: Graph
  /** Parameters in the order of the file. */
  readonly parameters: readonly string[]
  readonly feeds: Readonly<Record<string, Tensor>>
  readonly expected: z.infer<typeof Spectra>
  readonly sizes: ReadonlyMap<string, readonly number[]>
  /** `grad.P`, `hvp.P` or `v.P`. */
  read(name: string): Promise<Float32Array>
}

export const goldenNames = ['transformer', 'resnet', 'mobilenet'] as const
export type GoldenName = (typeof goldenNames)[number]

export async function openGolden(name: GoldenName, options: CanonicalOptions = {}): Promise<Golden> {
  const folder = path.join(import.meta.dirname, '../goldens')
  const graph = withLoss(canonical(await readModel(path.join(folder, `${name}.onnx`)), options), { loss: 'cross-entropy', of: 'logits', target: 'labels' })
  const file = path.join(folder, `${name}.safetensors`)
  const checkpoint = await openCheckpoint(file)
  const shapeOf = (tensor: string): readonly number[] => checkpoint.tensors.get(tensor)?.shape ?? []
  const labels = await checkpoint.read('labels')
  const int32 = new Int32Array(labels.buffer, labels.byteOffset, labels.byteLength / 4)
  const isText = checkpoint.tensors.get('input')?.type === 'I64'
  const raw = await checkpoint.read('input')
  await checkpoint.close()
  const input: Tensor['data'] = isText ? new BigInt64Array(raw.buffer, raw.byteOffset, raw.byteLength / 8) : new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4)
  const parameters = [...checkpoint.tensors.keys()].filter((tensor) => tensor.startsWith('grad.')).map((tensor) => tensor.slice('grad.'.length))
  return {
    graph,
    parameters,
    expected: Spectra.parse(JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'))),
    sizes: new Map(parameters.map((parameter) => [parameter, shapeOf(`grad.${parameter}`)])),
    feeds: {
      input: { type: isText ? 'int64' : 'float32', dims: shapeOf('input'), data: input },
      labels: { type: 'int64', dims: shapeOf('labels'), data: BigInt64Array.from(int32, BigInt) },
    },
    async read(tensor) {
      const opened = await openCheckpoint(file)
      return opened.readFloat(tensor).finally(() => opened.close())
    },
  }
}
