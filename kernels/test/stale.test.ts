import { expect, test } from 'vitest'
import { currentKernels, kernels, type Kernels } from '../kernels.ts'

test('an addon from before a kernel was written says what to do', () => {
  const read = (addon: Kernels, name: keyof Kernels): unknown => Reflect.get(addon, name)
  const older = Object.fromEntries(Object.entries(kernels()).filter(([name]) => name !== 'codeGradients')) as unknown as Kernels
  const stale = currentKernels(older, '/place/halftone.node')
  expect(read(stale, 'movedCodes')).toBe(read(kernels(), 'movedCodes'))
  expect(read(kernels(), 'codeGradients')).toBeTypeOf('function')
  expect(() => read(stale, 'codeGradients')).toThrow(expect.objectContaining({ code: 'kernels-missing', message: expect.stringMatching(/^\/place\/halftone\.node.*"codeGradients"/) as string, hint: expect.stringContaining('npm run kernels') as string }))
})
