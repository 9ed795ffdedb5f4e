/** @file Builders for the allocators' tests: HAWQ-V3's published problems, random problems, and exhaustive search. */
import fc from 'fast-check'
import { z } from 'zod'
import { totals, type Group } from './allocation.ts'

const Network = z.object({
  trace: z.array(z.number()), d8: z.array(z.number()), d4: z.array(z.number()), params: z.array(z.number()), bops: z.array(z.number()),
  lat4: z.array(z.number()), lat8: z.array(z.number()), ties: z.array(z.array(z.number())),
})
const Fixtures = z.object({
  networks: z.record(z.string(), Network),
  answers: z.array(z.object({ network: z.string(), constraint: z.enum(['size', 'bops', 'latency']), fraction: z.number(), widths: z.string(), loss: z.number() })),
})
type Network = z.infer<typeof Network>

/** Costs at 4 and at 8 bits of each layer, by constraint. */
const layerCosts: Record<'size' | 'bops' | 'latency', (network: Network) => { narrow: number[]; wide: number[] }> = {
  size: ({ params }) => ({ narrow: params.map((p) => p / 2), wide: params }),
  bops: ({ bops }) => ({ narrow: bops.map((b) => b / 64), wide: bops.map((b) => b / 16) }),
  latency: ({ lat4, lat8 }) => ({ narrow: lat4, wide: lat8 }),
}

export interface HawqProblem {
  readonly name: string
  readonly groups: readonly Group[]
  readonly limit: number
  readonly widths: string
  readonly loss: number
  /** Hessian trace of each group, for allocators that rank by it. */
  readonly traces: readonly number[]
  /** One digit a layer, as the answers are written. */
  readonly decode: (choice: readonly number[]) => string
}

/** HAWQ-V3's allocation problems for ResNet18 and ResNet50 with the proved optima. */
export function hawqProblems(json: string): HawqProblem[] {
  const { networks, answers } = Fixtures.parse(JSON.parse(json))
  return answers.map(({ network: name, constraint, fraction, widths, loss }) => {
    const network = networks[name]
    const { narrow, wide } = layerCosts[constraint](network)
    const members = network.trace.flatMap((_, layer) => {
      const tie = network.ties.find((layers) => layers.includes(layer))
      return tie === undefined ? [[layer]] : tie[0] === layer ? [tie] : []
    })
    const sum = (layers: readonly number[], values: readonly number[]): number => layers.reduce((total, layer) => total + values[layer], 0)
    const losses = (d: readonly number[]): number[] => d.map((value, layer) => value * network.trace[layer])
    const groups = members.map((layers) => ({
      name: layers.join('+'),
      members: layers.map(String),
      options: [
        { option: '4', cost: sum(layers, narrow), loss: sum(layers, losses(network.d4)) },
        { option: '8', cost: sum(layers, wide), loss: sum(layers, losses(network.d8)) },
      ],
    }))
    const all = network.trace.map((_, layer) => layer)
    return {
      name: `${name} ${constraint} ${fraction}`, groups, widths, loss,
      limit: sum(all, narrow) + fraction * (sum(all, wide) - sum(all, narrow)),
      traces: members.map((layers) => Math.max(...layers.map((layer) => network.trace[layer]))),
      decode: (choice) => all.map((layer) => groups[members.findIndex((layers) => layers.includes(layer))].options[choice[members.findIndex((layers) => layers.includes(layer))]].option).join(''),
    }
  })
}

/** Random problems of 1 to 6 groups with 1 to 4 options; costs are small whole numbers so that ties and equal sums are common. */
export function problems(): fc.Arbitrary<Group[]> {
  const option = fc.record({ cost: fc.integer({ min: 0, max: 30 }), loss: fc.integer({ min: 0, max: 1000 }).map((value) => value / 8) })
  return fc.array(fc.array(option, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }).map((groups) =>
    groups.map((options, at) => ({ name: `g${at}`, members: [`g${at}`], options: options.map((values, index) => ({ option: String(index), ...values })) })),
  )
}

/** Every choice there is, with its totals. */
export function everyChoice(groups: readonly Group[]): { choice: number[]; cost: number; loss: number }[] {
  let choices: number[][] = [[]]
  for (const group of groups) choices = choices.flatMap((choice) => group.options.map((_, index) => [...choice, index]))
  return choices.map((choice) => ({ choice, ...totals(groups, choice) }))
}

/** Least loss within the limit over every choice; undefined where none fits. */
export function bruteForce(groups: readonly Group[], limit: number): number | undefined {
  const fitting = everyChoice(groups).filter(({ cost }) => cost <= limit)
  return fitting.length === 0 ? undefined : Math.min(...fitting.map(({ loss }) => loss))
}

/** Layers of a language model's shapes with 10 options each, losses falling fourfold a bit with noise; always the same. */
export function largeProblem(layers: number): Group[] {
  const bits = [2.0625, 2.625, 3.4375, 4.25, 4.5, 5.5, 6.5625, 8.5, 16, 32]
  let state = 1
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  return Array.from({ length: layers }, (_, at) => {
    const elements = Math.floor(1e6 + 1e7 * random())
    const scale = elements * Math.exp(3 * random())
    const options = bits.map((b) => ({ option: `${b}`, cost: Math.floor((elements * b) / 8), loss: scale * 4 ** -b * (0.8 + 0.4 * random()) }))
    return { name: `layer ${at}`, members: [`layer ${at}`], options }
  })
}
