/** @file The table of exporters: one a target. */
import type { Target } from '../../contract/options.ts'
import type { Exporter } from './exporter.ts'
import { gguf } from './gguf.ts'
import { onnxExporter } from './onnx-decoder.ts'
import { safetensorsExporter } from './safetensors.ts'
import { ggufAdapter, peftAdapter, withAdapter } from './with-adapter.ts'

export const exporters = { gguf: withAdapter(gguf, ggufAdapter), onnx: onnxExporter(), safetensors: withAdapter(safetensorsExporter(), peftAdapter) } as const satisfies Record<Target, Exporter>
