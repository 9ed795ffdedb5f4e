/** @file y = x where x ≥ 0, else slope · x: dx = dy or slope · dy; dslope = x dy where x < 0, summed where broadcast. */
import type { Rule } from '../rule.ts'

export const prelu: Rule = (g, { inputs: [x, slope], dy }) => {
  const isNegative = (): string => g.compare('Less', x, g.scalar(0, x))
  return [
    () => g.where(isNegative(), g.mul(dy, slope), dy),
    () => g.unbroadcast(g.where(isNegative(), g.mul(dy, x), g.scalar(0, x)), slope),
  ]
}
