/** @file The table of decoder families. Adding one is a file in `families/` and a line here. */
import { AppError } from '../../../contract/errors.ts'
import { bloom } from './families/bloom.ts'
import type { Family } from './families/family.ts'
import { gemma2, gemma3 } from './families/gemma.ts'
import { gpt2 } from './families/gpt2.ts'
import { llama, mistral } from './families/llama.ts'
import { opt } from './families/opt.ts'
import { phi3 } from './families/phi3.ts'
import { qwen2, qwen3 } from './families/qwen.ts'

export const families: Readonly<Record<string, Family>> = { llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3, gpt2, opt, bloom }

function pick(where: string, found: string, key: string, namesOf: (family: Family) => readonly string[]): Family {
  const rows = Object.values(families)
  const family = rows.find((row) => namesOf(row).includes(found))
  if (family) return family
  const supported = [...new Set(rows.flatMap(namesOf))].join(', ')
  throw new AppError('unsupported-architecture', `${where}: ${key}: found "${found}", expected one of ${supported}`, {
    hint: 'This architecture is not supported as a decoder; a model of one of those named is, and any ONNX export can be opened as a graph.',
    details: { found, supported },
  })
}

/** The family of config.json's model_type. */
export function familyOfModelType(where: string, modelType: string): Family {
  return pick(where, modelType, 'model_type', (family) => family.modelTypes)
}

/** The family of GGUF's general.architecture. */
export function familyOfGguf(where: string, architecture: string): Family {
  return pick(where, architecture, 'general.architecture', (family) => (family.ggufArchitecture === null ? [] : [family.ggufArchitecture]))
}
