import { expect, it } from 'vitest'
import { kernels } from '../../../kernels/kernels.ts'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import { addInputs, emptyStatistics } from '../calibrate/statistics.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { lookUp, quantizeTable } from './quantize-table.ts'
import { roundingStatistics } from './rounders/rounder.ts'
import { rounders } from './rounders/rounders.ts'

const shape = { rows: 53, cols: 256 }
const random = createRandom(5)
const table = Float32Array.from({ length: shape.rows * shape.cols }, () => random() - random())
const x = Float32Array.from({ length: 400 * shape.cols }, (_, at) => (random() - 0.5) / (1 + (at % shape.cols)))

/** The whole table by one call of the rounder, and the table in pieces of at most 16 rows. */
async function both(codec: CodecName, name: keyof typeof rounders, withInputs: boolean) {
  const statistics = emptyStatistics(shape.cols)
  await addInputs(statistics, x)
  const inputs = withInputs ? roundingStatistics(statistics) : null
  const asked: number[] = []
  const whole = await rounders[name](codec, shape, table, inputs)
  const { bytes, error } = await quantizeTable({
    codec, shape, rounder: rounders[name], inputs, signal: silent.signal, pieceWeights: 20 * shape.cols,
    read: ([first, last]) => {
      asked.push(last - first)
      return Promise.resolve(table.slice(first * shape.cols, last * shape.cols))
    },
  })
  const dense = new Float32Array(table.length)
  await kernels().decode(codec, shape, whole, dense)
  return { whole, bytes, error, asked, dense, statistics }
}

it.each<[CodecName, keyof typeof rounders, boolean]>([
  ['Q3_K', 'gptq', true], ['Q4_K', 'gptq', true], ['int3-g32', 'gptq', true], ['Q4_K', 'search', false], ['IQ4_XS', 'search', true], ['int4-g128', 'nearest', false], ['F16', 'gptq', true],
])('%s by %s in pieces has the bytes of the whole', async (codec, rounder, withInputs) => {
  const { whole, bytes, error, asked, dense, statistics } = await both(codec, rounder, withInputs)
  expect(asked).toEqual([16, 16, 16, 5])
  expect(bytes).toEqual(whole)
  let expected = 0
  for (let row = 0; row < shape.rows; row++) {
    for (let i = 0; i < shape.cols; i++) {
      const di = table[row * shape.cols + i] - dense[row * shape.cols + i]
      if (withInputs) for (let j = 0; j < shape.cols; j++) expected += (di * statistics.hessian[i * shape.cols + j] * (table[row * shape.cols + j] - dense[row * shape.cols + j])) / statistics.tokens
      else expected += di * di
    }
  }
  expect(error / expected).toBeCloseTo(1, 9)
})

it('looks up the rows of a window', async () => {
  const { whole, dense } = await both('Q4_K', 'nearest', false)
  const window = Int32Array.of(52, 0, 7, 7)
  const rows = await lookUp('Q4_K', shape, whole, window)
  expect(rows).toEqual(Float32Array.from([...window].flatMap((token) => [...dense.subarray(token * shape.cols, (token + 1) * shape.cols)])))
})
