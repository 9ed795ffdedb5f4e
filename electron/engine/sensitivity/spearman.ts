/** @file Rank correlation (Spearman 1904): how well one score orders what another measures, whatever their units. */

/** Ranks from 1, ties sharing their mean rank. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value)
  const result = new Array<number>(values.length).fill(0)
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && order[last + 1]?.value === order[first]?.value) last++
    for (let place = first; place <= last; place++) result[order[place]?.index ?? 0] = (first + last) / 2 + 1
    first = last + 1
  }
  return result
}

/** Spearman's ρ of two lists of equal length; NaN where one of them is constant. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [ranks(a), ranks(b)]
  const mean = (a.length + 1) / 2
  let covariance = 0
  let varianceX = 0
  let varianceY = 0
  for (let i = 0; i < a.length; i++) {
    const [dx, dy] = [(x[i] ?? 0) - mean, (y[i] ?? 0) - mean]
    covariance += dx * dy
    varianceX += dx * dx
    varianceY += dy * dy
  }
  return covariance / Math.sqrt(varianceX * varianceY)
}
