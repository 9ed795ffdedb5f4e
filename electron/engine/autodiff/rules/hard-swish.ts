/** @file y = x h, h = min(1, max(0, x/6 + ½)): dx = dy (h + x/6 where 0 < h < 1) */
import type { Rule } from '../rule.ts'

export const hardSwish: Rule = (g, { inputs: [x], dy }) => [() => {
  const h = g.one('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })
  const inside = g.one('And', [g.compare('Greater', h, g.scalar(0, h)), g.compare('Less', h, g.scalar(1, h))])
  return g.mul(dy, g.add(h, g.where(inside, g.scale(x, 1 / 6), g.scalar(0, x))))
}]
