/** @file The table of exporters: one a target. */
import { AppError } from '../../contract/errors.ts'
import type { Target } from '../../contract/options.ts'
import type { Exporter } from './exporter.ts'
import { gguf } from './gguf.ts'
import { onnxExporter } from './onnx-decoder.ts'

const exporters: Readonly<Partial<Record<Target, Exporter>>> = { gguf, onnx: onnxExporter() }

/** The exporter of a target. */
export function exporterOf(target: Target): Exporter {
  const exporter = exporters[target]
  if (exporter === undefined) throw new AppError('bad-request', `--target ${target}: cannot be written`, { hint: `Choose one of ${Object.keys(exporters).join(', ')}.` })
  return exporter
}
