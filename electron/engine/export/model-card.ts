/** @file The page that goes with an exported model: what it is made from, how, how large and how good it is, in Markdown. */
import { open, readdir, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import type { OutputQuality } from '../../contract/graph.ts'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import type { CompressReport } from '../../contract/report.ts'
import type { DecoderModel } from '../session/model.ts'

/** A README states its licence at the head. */
const headBytes = 8192
const targetWords = { gguf: 'GGUF (llama.cpp, Ollama, LM Studio)', onnx: 'ONNX (ONNX Runtime)', safetensors: 'safetensors (transformers, vLLM)' } as const

/** How weights became codes, in words. */
const roundings = { nearest: 'plain rounding', search: 'a search for the best scales', gptq: 'GPTQ', guided: 'GPTQ whose tokens are weighed by gradients' } as const satisfies Record<Recipe['rounder'], string>

const number = (value: number): string => (value === 0 ? '0' : Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toPrecision(4))

function formats(choice: readonly LayerChoice[]): string[] {
  const groups = [...Map.groupBy(choice, ({ option, rank }) => (rank > 0 ? `${option} with rank ${rank}` : option))]
  return groups
    .map(([name, layers]) => ({ name, layers: layers.length, bytes: layers.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ name, layers, bytes }) => `| ${name} | ${layers} | ${bytes.toLocaleString('en-US')} |`)
}

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`

/** Numbers of a language model, where it was evaluated on text. */
function textNumbers({ perplexity, perplexityStderr, perplexityReference, klMean, klStderr, sameTop, tokens }: CompressReport): string[] {
  if (perplexity === undefined) return ['Not measured: there was no text to evaluate on.']
  return [
    '| measure | value |', '|---|---|',
    `| perplexity | ${number(perplexity)} ± ${number(perplexityStderr ?? 0)}${perplexityReference === undefined ? '' : ` (source ${number(perplexityReference)})`} |`,
    ...(klMean === undefined ? [] : [`| mean KL divergence from the source | ${number(klMean)} ± ${number(klStderr ?? 0)} |`]),
    ...(sameTop === undefined ? [] : [`| same most likely token | ${percent(sameTop)} |`]),
    '', `Over ${tokens.toLocaleString('en-US')} scored tokens, from the exported file opened again.`,
  ]
}

/** Numbers of a graph's outputs, where it was run on samples. */
function outputNumbers(outputs: readonly OutputQuality[], samples: number): string[] {
  if (outputs.length === 0 || samples === 0) return ['Not measured: there were no samples to compare on.']
  return [
    '| output | signal to noise | cosine | same most likely class |', '|---|---|---|---|',
    ...outputs.map(({ name, sqnr, cosine, sameTop }) => `| \`${name}\` | ${number(sqnr)} dB | ${cosine.toFixed(5)} | ${sameTop === undefined ? 'no classes' : percent(sameTop)} |`),
    '', `Against the source's outputs, over ${samples.toLocaleString('en-US')} samples, from the exported file opened again.`,
  ]
}

/** The card of a finished run. `license` is what the source states of itself, or null. */
export function modelCard({ model, data, metric, rounder, correction, seed, tool, choice }: Recipe, report: CompressReport, license: string | null): string {
  const name = path.basename(path.resolve(model.path))
  const read = data === null ? null : report.outputs ? `${data.samples} samples` : `${data.samples} windows of ${data.length} tokens`
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
    `Layers were measured by \`${metric}\` and rounded by ${roundings[rounder]} (\`${rounder}\`)${correction === 'none' ? '' : `, corrected by \`${correction}\``}; seed ${seed}. ${data ? `Calibration: \`${path.basename(data.path)}\`, ${read} (hash \`${data.sha256}\`).` : 'No calibration data was used.'}`, '',
    '| format | layers | bytes |', '|---|---|---|', ...formats(choice), '',
    '## Measured', '', ...(report.outputs ? outputNumbers(report.outputs, report.samples ?? 0) : textNumbers(report)), '',
    'The whole recipe is in `recipe.json`, every number in `report.json`.', '',
  ].join('\n')
}

/** The licence a README or model card states in its front matter. */
export function statedLicense(head: string): string | null {
  const front = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(head)?.[1]
  const license = front === undefined ? undefined : /^license:[ \t]*["']?([\w .+-]+?)["']?[ \t]*$/m.exec(front)?.[1]
  return license ?? null
}

/** What a GGUF file or an ONNX graph says of its licence in its metadata, or null. */
export function metadataLicense(value: unknown): string | null {
  return typeof value === 'string' && /^[\w .+-]{1,100}$/.test(value) ? value : null
}

/** What the README of a folder says of the licence, or null. */
export async function folderLicense(folder: string): Promise<string | null> {
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

/** What the source says of its licence: in a GGUF file's metadata, or in the README beside the weights. */
export async function licenseOf({ path: source, checkpoint, config }: DecoderModel): Promise<string | null> {
  const stated = metadataLicense(checkpoint.metadata['general.license'])
  if (stated !== null || config === null) return stated
  return folderLicense(/\.(safetensors|json)$/i.test(source) ? path.dirname(source) : source)
}
