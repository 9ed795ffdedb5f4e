/** @file How the exported file is loaded elsewhere: code to copy. Pure. */
import type { Target } from '../../../electron/contract/options.ts'

export interface Usage { readonly name: string; readonly code: string }

/** `output`: the GGUF file, the folder of the other targets, or the file of an ONNX graph with its `inputs`. */
export function usages(target: Target, output: string, inputs?: readonly string[]): readonly [Usage, ...Usage[]] {
  const quoted = JSON.stringify(output)
  if (inputs) {
    const fed = (value: (name: string) => string): string => inputs.map((name) => `${JSON.stringify(name)}: ${value(name)}`).join(', ')
    return [
      { name: 'Python', code: `import onnxruntime as ort\n\nsession = ort.InferenceSession(${quoted})\noutputs = session.run(None, {${fed((name) => name.replace(/\W/g, '_'))}})` },
      { name: 'JavaScript', code: `import * as ort from 'onnxruntime-node'\n\nconst session = await ort.InferenceSession.create(${quoted})\nconst outputs = await session.run({ ${fed((name) => name.replace(/\W/g, '_'))} })` },
    ]
  }
  switch (target) {
    case 'gguf': return [
      { name: 'llama.cpp', code: `llama-cli -m ${quoted} -p "Once upon a time"` },
      { name: 'Ollama', code: `echo FROM ${quoted} > Modelfile\nollama create my-model -f Modelfile\nollama run my-model` },
      { name: 'LM Studio', code: `lms import ${quoted}` },
    ]
    case 'onnx': return [
      { name: 'onnxruntime-genai', code: `import onnxruntime_genai as og\n\nmodel = og.Model(${quoted})\ntokenizer = og.Tokenizer(model)\ngenerator = og.Generator(model, og.GeneratorParams(model))\ngenerator.append_tokens(tokenizer.encode("Once upon a time"))\nwhile not generator.is_done():\n    generator.generate_next_token()\nprint(tokenizer.decode(generator.get_sequence(0)))` },
    ]
    case 'safetensors': return [
      { name: 'transformers', code: `from transformers import AutoModelForCausalLM, AutoTokenizer\n\ntokenizer = AutoTokenizer.from_pretrained(${quoted})\nmodel = AutoModelForCausalLM.from_pretrained(${quoted}, device_map="auto")\nprint(tokenizer.decode(model.generate(**tokenizer("Once upon a time", return_tensors="pt"), max_new_tokens=40)[0]))` },
      { name: 'vLLM', code: `vllm serve ${quoted}` },
    ]
    default: return target satisfies never
  }
}
