/** @file The page that goes with an exported model: what it is made from, how, how large and how good it is, in Markdown. */
import { open, readdir, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import type { CompressReport } from '../../contract/report.ts'
import type { DecoderModel } from '../session/model.ts'

/** A README states its licence at the head. */
const headBytes = 8192
const targetWords = { gguf: 'GGUF (llama.cpp, Ollama, LM Studio)', onnx: 'ONNX (ONNX Runtime)', safetensors: 'safetensors (transformers, vLLM)' } as const

const number = (value: number): string => (value === 0 ? '0' : Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(4))

function formats(choice: readonly LayerChoice[]): string[] {
  const groups = [...Map.groupBy(choice, ({ option, rank }) => (rank > 0 ? `${option} with rank ${rank}` : option))]
  return groups
    .map(([name, layers]) => ({ name, layers: layers.length, bytes: layers.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ name, layers, bytes }) => `| ${name} | ${layers} | ${bytes.toLocaleString('en-US')} |`)
}

/** The card of a finished run. `license` is what the source states of itself, or null. */
export function modelCard({ model, data, metric, rounder, correction, seed, tool, choice }: Recipe, report: CompressReport, license: string | null): string {
  const name = path.basename(path.resolve(model.path))
  const measured = report.perplexity !== undefined
    ? [
        '| measure | value |', '|---|---|',
        `| perplexity | ${number(report.perplexity)} ± ${number(report.perplexityStderr ?? 0)}${report.perplexityReference === undefined ? '' : ` (source ${number(report.perplexityReference)})`} |`,
        ...(report.klMean === undefined ? [] : [`| mean KL divergence from the source | ${number(report.klMean)} ± ${number(report.klStderr ?? 0)} |`]),
        ...(report.sameTop === undefined ? [] : [`| same most likely token | ${(report.sameTop * 100).toFixed(2)} % |`]),
        '', `Over ${report.tokens.toLocaleString('en-US')} scored tokens, from the exported file opened again.`,
      ]
    : ['Not measured: there was no text to evaluate on.']
  return [
    ...(license === null ? [] : ['---', `license: ${license}`, '---', '']),
    `# ${name}, compressed to ${report.bitsPerWeight.toFixed(2)} bits per weight`, '',
    `Made from \`${name}\` (SHA-256 \`${model.sha256}\`) by ${tool}. Licence of the source: ${license ?? 'not stated in its files; look where it came from'}.`, '',
    '## File', '',
    `- Format: ${targetWords[report.target as keyof typeof targetWords] ?? report.target}`,
    `- Size: ${report.sizeBytes.toLocaleString('en-US')} bytes, ${report.bitsPerWeight.toFixed(3)} bits per weight, everything counted`,
    `- SHA-256: \`${report.sha256}\``,
    ...(report.adapter ? [`- Adapter: \`${path.basename(report.adapter.path)}\`, ${report.adapter.sizeBytes.toLocaleString('en-US')} bytes, SHA-256 \`${report.adapter.sha256}\``] : []), '',
    '## Method', '',
    `Layers were measured by \`${metric}\` and rounded by \`${rounder}\`${correction === 'none' ? '' : `, corrected by \`${correction}\``}; seed ${seed}. ${data ? `Calibration: \`${path.basename(data.path)}\`, ${data.samples} windows of ${data.length} tokens (hash \`${data.sha256}\`).` : 'No calibration data was used.'}`, '',
    '| format | layers | bytes |', '|---|---|---|', ...formats(choice), '',
    '## Measured', '', ...measured, '',
    'The whole recipe is in `recipe.json`, every number in `report.json`.', '',
  ].join('\n')
}

/** The licence a README or model card states in its front matter. */
export function statedLicense(head: string): string | null {
  const front = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(head)?.[1]
  const license = front === undefined ? undefined : /^license:[ \t]*["']?([\w .+-]+?)["']?[ \t]*$/m.exec(front)?.[1]
  return license ?? null
}

/** What the source says of its licence: in a GGUF file's metadata, or in the README beside the weights. */
export async function licenseOf({ path: source, checkpoint, config }: DecoderModel): Promise<string | null> {
  const stated = checkpoint.metadata['general.license']
  if (typeof stated === 'string' && /^[\w .+-]{1,100}$/.test(stated)) return stated
  if (config === null) return null
  const folder = /\.(safetensors|json)$/i.test(source) ? path.dirname(source) : source
  const readme = (await readdir(folder)).find((name) => name.toLowerCase() === 'readme.md')
  if (readme === undefined) return null
  let file: FileHandle | undefined
  try {
    file = await open(path.join(folder, readme))
    const { buffer, bytesRead } = await file.read(new Uint8Array(headBytes), 0, headBytes, 0)
    return statedLicense(new TextDecoder().decode(buffer.subarray(0, bytesRead)))
  } finally {
    await file?.close()
  }
}
