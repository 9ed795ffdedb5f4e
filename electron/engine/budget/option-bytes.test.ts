import { expect, test } from 'vitest'
import { ggufTypes } from '../../contract/options.ts'
import { ggufBlocks, intFormats, optionBytes, targetOptions } from './option-bytes.ts'

const linear = { name: 'blocks.0.q', kind: 'matmul', shape: [64, 512] } as const

// Worked by hand from the layouts: [64, 512], i.e. 32,768 weights.
test.each([
  ['gguf', 'F16', 65_536],
  ['gguf', 'Q4_K', 18_432], // 128 blocks of 144
  ['gguf', 'Q2_K', 10_752], // 128 blocks of 84
  ['gguf', 'IQ4_XS', 17_408], // 4.25 bits
  ['gguf', 'TQ1_0', 6912], // 1.6875 bits
  ['gguf', 'MXFP4', 17_408], // 1024 blocks of 17
  ['onnx', 'int4-g32', 16_384 + 2048 + 512], // codes, 1024 fp16 scales, 1024 nibbles
  ['onnx', 'int4-g128-sym', 16_384 + 512],
  ['onnx', 'int2-g128', 8192 + 512 + 64], // four 2-bit zero points fill one byte a row
  ['onnx', 'int2-g64', 8192 + 1024 + 128],
  ['onnx', 'int8-g64', 32_768 + 1024 + 512],
  ['onnx', 'F32', 131_072],
  ['safetensors', 'int3-g128', 12_288 + 96 + 512 + 2048], // qweight, qzeros, scales, g_idx
  ['safetensors', 'int4-channel-sym', 16_384 + 32 + 128 + 2048],
  ['safetensors', 'BF16', 65_536],
] as const)('%s %s', (target, option, bytes) => {
  expect(optionBytes(target, linear, option)).toEqual({ bytes })
})

test('odd group counts round each row of zero points up to a byte', () => {
  expect(optionBytes('onnx', { ...linear, shape: [10, 96] }, 'int4-g32')).toEqual({ bytes: 480 + 60 + 20 })
  expect(optionBytes('onnx', { ...linear, shape: [10, 160] }, 'int2-g32')).toEqual({ bytes: 400 + 100 + 20 })
})

test.each([
  ['gguf', 'Q4_K', '576 columns are not a multiple of 256'],
  ['gguf', 'int4-g32', 'gguf has no int4-g32'],
  ['onnx', 'int4-g128', '576 columns are not a multiple of 128'],
  ['onnx', 'int3-g64', 'stock ONNX Runtime has no 3-bit matrix product'],
  ['onnx', 'int4-channel', 'MatMulNBits needs groups of 32, 64 or 128'],
  ['onnx', 'Q4_K', 'onnx has no Q4_K'],
  ['safetensors', 'int4-g128', '576 columns are not a multiple of 128'],
  ['safetensors', 'int5-g32', 'safetensors has no int5-g32'],
] as const)('%s cannot hold 576 columns as %s', (target, option, reason) => {
  expect(optionBytes(target, { ...linear, shape: [64, 576] }, option)).toEqual({ reason })
})

test('32-weight blocks take what 256-weight blocks cannot; a bad row count is named as such', () => {
  expect(optionBytes('gguf', { ...linear, shape: [64, 576] }, 'Q4_0')).toEqual({ bytes: 20_736 })
  expect(optionBytes('safetensors', { ...linear, shape: [40, 512] }, 'int4-g64')).toEqual({ reason: '40 rows are not a multiple of 32' })
})

test('the GPTQ layout leaves embedding and head dense', () => {
  expect(optionBytes('safetensors', { name: 'embedding', kind: 'embedding', shape: [64, 512] }, 'int4-g64')).toHaveProperty('reason')
  expect(optionBytes('safetensors', { name: 'head', kind: 'matmul', shape: [64, 512] }, 'int8-g64')).toHaveProperty('reason')
  expect(optionBytes('onnx', { name: 'embedding', kind: 'embedding', shape: [64, 512] }, 'int4-g64')).toEqual({ bytes: 16_384 + 1024 + 256 })
})

test('every option of a target has a size on a layer that divides', () => {
  for (const target of ['gguf', 'onnx', 'safetensors'] as const) {
    const sizes = targetOptions[target].filter((option) => !(target === 'onnx' && option.includes('channel'))).map((option) => optionBytes(target, { ...linear, shape: [256, 1024] }, option))
    for (const size of sizes) expect(size).toHaveProperty('bytes')
  }
  expect(intFormats.size).toBe(32)
  expect(Object.keys(ggufBlocks).sort()).toEqual([...ggufTypes].sort())
})
