/** @file y = mean of each window: dx = dy / n spread back by a transposed convolution of ones, each channel by itself. */
import { poolCounts, poolWindow, transposedTo } from '../convolution.ts'
import type { Rule } from '../rule.ts'
import type { Part } from '../../graph/algebra.ts'

export const averagePool: Rule = (g, node) => {
  const { inputs: [x], outputs: [y], dy } = node
  return [() => {
    const kernel = node.ints('kernel_shape') ?? []
    const window = poolWindow(g, node, x, y)
    const counts = poolCounts(g, node, x, y)
    const total = kernel.reduce((product, size) => product * size, 1)
    const shared = counts === null ? dy : g.div(dy, g.tensor(counts, g.shape(y).slice(2).map(Number), x))
    // Channels become samples of one channel: [n·c, 1, …].
    const single = (value: string): string => g.reshape(value, [-1, 1, ...kernel.map((_, axis): Part => [value === shared ? y : value, axis + 2])])
    const ones = g.tensor(new Array<number>(total).fill(counts === null ? 1 / total : 1), [1, 1, ...kernel], x)
    return g.reshapeLike(transposedTo(g, single(shared), ones, window, x), x)
  }]
}
