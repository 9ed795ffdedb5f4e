import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { Evaluation } from '../../contract/report.ts'
import { openCheckpoint } from '../io/open.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder } from '../session/model.ts'
import { exporters } from './exporters.ts'
import { blankMeasured, measuredKey, measuredText, stampMeasured } from './measured.ts'
import { chooseByTurns, encodeLayers, provenance, smallTokenizer } from './testing.ts'

const llama = path.join(import.meta.dirname, '../session/goldens/llama')
const evaluation: Evaluation = { sizeBytes: 1, bitsPerWeight: 4, perplexity: 66.123456789, perplexityStderr: 1.1, perplexityReference: 65.98877, klMean: 0.00123456789, klStderr: 1.23456e-5, kl99: 0.0123456, sameTop: 0.987654321, tokens: 24_480 }
const numbers = { evaluated: true, perplexity: 66.123, perplexityReference: 65.989, klMean: 0.0012346, klStderr: 0.000012346, kl99: 0.012346, sameTop: 0.98765, tokens: 24_480 }
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

test('the text has the length of the blank, whatever the numbers', () => {
  expect(JSON.parse(measuredText(evaluation))).toEqual(numbers)
  const long = { ...evaluation, perplexity: 1.2345e300, perplexityReference: 1.2345e-300, klMean: 1.2345e-300, klStderr: 1.2345e-300, kl99: 1.2345e-300, sameTop: 1.2345e-300, tokens: 1e15 }
  for (const text of [measuredText(evaluation), measuredText(long)]) expect(text).toHaveLength(blankMeasured.length)
})

test('of a graph the worst output is told, with how many there are and how many samples', () => {
  const outputs = [{ name: 'logits', sqnr: 31.41592653, cosine: 0.999876543, sameTop: 0.975, klMean: 0.0123456789 }, { name: 'boxes', sqnr: 20.5, cosine: 0.99 }]
  const text = measuredText({ sizeBytes: 1, bitsPerWeight: 4, tokens: 0, klMean: 0.0123456789, sameTop: 0.975, outputs, samples: 12 })
  expect(JSON.parse(text)).toEqual({ evaluated: true, sqnr: 20.5, cosine: 0.99, klMean: 0.012346, sameTop: 0.975, outputs: 2, samples: 12 })
  expect(text).toHaveLength(blankMeasured.length)
})

test.each(['gguf', 'onnx', 'safetensors'] as const)('%s: the file says what was measured, at the same size, and nothing else changes', async (target) => {
  await withFolder(async (out) => {
    const model = await openDecoder(llama, silent)
    const choice = chooseByTurns(model, target, ['F16'])
    const exporter = exporters[target]
    const exported = await exporter.write({ model, tokenizer: smallTokenizer(), provenance: { ...provenance, target }, choice, blob: await encodeLayers(model, choice), out }, silent)
    await model.close()
    const file = path.join(exported.path, exporter.measuredIn)
    const before = await readFile(file)
    const stamped = await stampMeasured(exported, exporter.measuredIn, evaluation)
    const after = await readFile(file)
    const at = before.indexOf(blankMeasured)
    expect(Buffer.concat([before.subarray(0, at), Buffer.from(measuredText(evaluation)), before.subarray(at + blankMeasured.length)]).equals(after)).toBe(true)
    expect(stamped.sizeBytes).toBe(exported.sizeBytes)
    expect(stamped.sha256).not.toBe(exported.sha256)
    if (target === 'gguf') {
      expect(stamped.sha256).toBe(sha256(after))
      const checkpoint = await openCheckpoint(file)
      expect(JSON.parse(String(checkpoint.metadata[measuredKey]))).toEqual(numbers)
      await checkpoint.close()
    } else {
      expect(stamped.hashes?.get(exporter.measuredIn)).toBe(sha256(after))
    }
    if (target === 'safetensors') expect(JSON.parse(after.toString('utf8'))).toMatchObject({ tool: 'halftone test', measured: numbers })
  })
})

test('a file without a blank is not written to', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    await writeFile(file, 'nothing here')
    await expect(stampMeasured({ path: file, sizeBytes: 12, sha256: '' }, '', evaluation)).rejects.toThrow('has a blank')
    expect(await readFile(file, 'utf8')).toBe('nothing here')
  })
})
