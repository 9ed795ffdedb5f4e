/** @file Resizing is one linear map a spatial axis, y = A x: dx = Aᵀ dy, axis by axis. Where A repeats every element s times, Aᵀ is a sum. */
import { resizeMap } from '../resize-map.ts'
import type { Rule } from '../rule.ts'
import type { Part } from '../../graph/algebra.ts'

export const resize: Rule = (g, node) => {
  const { inputs: [x], outputs: [y], dy } = node
  return [() => {
    let gradient = dy
    for (let axis = 0; axis < g.rank(x); axis++) {
      const map = resizeMap(g, node, axis)
      if (map === null) continue
      const { rows, columns, matrix, repeats } = map
      // [before, size, after]: sizes after this axis are still those of y, before it those of x.
      const outer = g.shape(x).slice(0, axis).map((_, at): Part => [x, at])
      const inner = g.shape(x).slice(axis + 1).map((_, at): Part => [y, axis + 1 + at])
      if (repeats !== null) {
        gradient = g.sum(g.reshape(gradient, [...outer, columns, repeats, ...inner]), [axis + 1])
        continue
      }
      const transposed = Array.from({ length: rows * columns }, (_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)])
      const columnsOf = g.reshape(gradient, [...outer, rows, inner.length === 1 ? inner[0] : -1])
      gradient = g.reshape(g.matmul(g.tensor(transposed, [columns, rows], x), columnsOf), [...outer, columns, ...inner])
    }
    return g.reshapeLike(gradient, x)
  }, null, null, null]
}
