/** @file A job that ran out of memory, made to park more on disk. Apart from the schemas, as the window asks whether it can. */
import type { JobRequest } from './job.ts'

/** The most a job parks in memory where no limit is set. */
const usualBytes = 2 ** 30
/** With less than this nothing is gained any more. */
const leastBytes = 2 ** 24

/** With a quarter of the memory; null where that is next to none, or for graphs: they park nothing. */
function lessened<T extends { readonly memoryBytes?: number | undefined }>(model: string, part: T): T | null {
  const memoryBytes = Math.floor((part.memoryBytes ?? usualBytes) / 4)
  return memoryBytes < leastBytes || /\.onnx$/i.test(model) ? null : { ...part, memoryBytes }
}

/** The request with less memory for intermediate results; null where that cannot help. The result is the same. */
export function withLessMemory(request: JobRequest): JobRequest | null {
  switch (request.kind) {
    case 'run': {
      const recipe = lessened(request.recipe.model.path, request.recipe)
      return recipe && { ...request, recipe }
    }
    case 'measure': {
      const input = lessened(request.input.model, request.input)
      return input && { ...request, input }
    }
    case 'evaluate': {
      const input = lessened(request.input.model, request.input)
      return input && { ...request, input }
    }
    case 'generate': case 'download': return null
    default: return request satisfies never
  }
}
