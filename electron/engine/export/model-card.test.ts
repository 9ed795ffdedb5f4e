import { expect, test } from 'vitest'
import { Recipe } from '../../contract/recipe.ts'
import { CompressReport } from '../../contract/report.ts'
import { modelCard, statedLicense } from './model-card.ts'

const layer = (name: string, option: string, bytes: number, rank = 0) => ({ name, option, rank, bytes, predictedLoss: 0 })
const recipe = Recipe.parse({
  version: 1, tool: 'halftone 1', model: { path: '/models/tiny', sha256: 'abc' }, data: { path: '/texts/a.txt', sha256: 'def', samples: 8, length: 512 }, target: 'gguf', budget: { kind: 'bits', value: 4 },
  metric: 'kl-scaled', rounder: 'gptq', choice: [layer('a', 'Q4_K', 100), layer('b', 'Q4_K', 200), layer('c', 'Q2_K', 1000, 8)], predicted: { sizeBytes: 1, bitsPerWeight: 4, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 },
})
const report = CompressReport.parse({
  sizeBytes: 2_733_344, bitsPerWeight: 2.345678, perplexity: 66.12, perplexityStderr: 0.5, perplexityReference: 65.99, klMean: 0.0001234, klStderr: 0.00001, sameTop: 0.98765, tokens: 1000, output: '/out/model.gguf',
  target: 'gguf', sha256: 'fff', peakMemoryBytes: 1, elapsedMs: 1, predicted: { sizeBytes: 1, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 }, eventLoopMaxMs: 1, layers: recipe.choice, warnings: [],
})

test('the card tells source, file, method and numbers, and names no folder of this machine', () => {
  const card = modelCard(recipe, report, 'apache-2.0')
  expect(card).toMatch(/^---\nlicense: apache-2\.0\n---\n\n# tiny, compressed to 2\.35 bits per weight/)
  for (const text of ['SHA-256: `fff`', '2,733,344 bytes', '`a.txt`, 8 windows of 512 tokens', '| Q2_K with rank 8 | 1 | 1,000 |\n| Q4_K | 2 | 300 |', '1.23e-4 ± 1.00e-5', '98.77 %', '`kl-scaled` and rounded by GPTQ (`gptq`); seed 0', '66.12 ± 0.5000 (source 65.99)']) expect(card).toContain(text)
  expect(card).not.toMatch(/\/models|\/texts|\/out/)
})

test('a guided rounding is told in words', () => {
  expect(modelCard({ ...recipe, rounder: 'guided', correction: 'eora' }, report, null)).toContain('rounded by GPTQ whose tokens are weighed by gradients (`guided`), corrected by `eora`; seed 0.')
})

test('without text nothing is claimed', () => {
  const card = modelCard({ ...recipe, data: null }, { ...report, perplexity: undefined, perplexityStderr: undefined }, null)
  expect(card).toContain('Not measured')
  expect(card).toContain('No calibration data was used')
  expect(card).toContain('not stated in its files')
})

test('the card of a graph tells of its outputs, and of samples in place of windows', () => {
  const outputs = [{ name: 'logits', sqnr: 31.415, cosine: 0.999876, sameTop: 0.975, klMean: 0.01 }, { name: 'boxes', sqnr: 20, cosine: 0.99 }]
  const card = modelCard({ ...recipe, target: 'onnx' }, { ...report, target: 'onnx', perplexity: undefined, outputs, samples: 12, tokens: 0 }, null)
  for (const text of ['ONNX (ONNX Runtime)', '`a.txt`, 8 samples (hash', '| `logits` | 31.41 dB | 0.99988 | 97.50 % |', '| `boxes` | 20.00 dB | 0.99000 | no classes |', 'over 12 samples']) expect(card).toContain(text)
  expect(card).not.toMatch(/tokens|perplexity/)
  expect(modelCard({ ...recipe, target: 'onnx', data: null }, { ...report, outputs: [], samples: 0 }, null)).toContain('Not measured: there were no samples')
})

test.each([['---\nlanguage: en\nlicense: mit\n---\n# x', 'mit'], ['---\nlicense: "cc-by-4.0"\n---', 'cc-by-4.0'], ['# no front matter\nlicense: mit', null], ['---\nlicense:\n- a\n---', null]])('%j states %s', (head, license) => {
  expect(statedLicense(head)).toBe(license)
})
