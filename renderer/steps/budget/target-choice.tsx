/** @file Where the model will be used. Each target has formats of its own, so it is asked before they are measured. */
import type { Target } from '../../../electron/contract/options.ts'
import { setDraft } from '../../commands/actions.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { Segmented } from '../../ui/fields.tsx'

export const targetNames: Readonly<Record<Target, string>> = { gguf: 'GGUF', onnx: 'ONNX', safetensors: 'safetensors' }
const targetWords: Readonly<Record<Target, string>> = {
  gguf: 'For llama.cpp, Ollama and LM Studio.', onnx: 'For ONNX Runtime and browsers: stock operators only, 2, 4 or 8 bits a layer.', safetensors: 'For transformers and vLLM, in the GPTQ layout.',
}
const choices = (['gguf', 'onnx', 'safetensors'] as const).map((value) => ({ value, label: targetNames[value] }))

/** `isWide`: the words beside the choice, not below it. */
export function TargetChoice({ isWide = false }: { readonly isWide?: boolean }): React.JSX.Element {
  const target = useApp((state) => state.open?.project.draft.target ?? 'gguf')
  const isOfGraph = useApp(isGraph)
  return (
    <div className={isWide ? 'flex flex-wrap items-end gap-x-4 gap-y-1.5' : 'flex flex-col gap-1.5'}>
      <Segmented label="Format" value={target} onChange={(next) => { setDraft({ target: next, pins: {} }) }} choices={isOfGraph ? choices.filter(({ value }) => value === 'onnx') : choices} />
      <p className={`text-sm text-ink-2 ${isWide ? 'pb-1.5' : ''}`}>{isOfGraph ? 'An ONNX graph is written as an ONNX graph, with stock operators.' : targetWords[target]}</p>
    </div>
  )
}
