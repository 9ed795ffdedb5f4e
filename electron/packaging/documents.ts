/** @file The files the app opens from the desktop, for macOS (in the bundle's Info.plist) and for the installers. */

const documents = [
  { extension: 'gguf', name: 'GGUF model' },
  { extension: 'safetensors', name: 'Safetensors model' },
  { extension: 'onnx', name: 'ONNX model' },
] as const

/** Never the default program of a file type that others made. */
export const documentTypes = documents.map(({ extension, name }) => ({
  CFBundleTypeName: name, CFBundleTypeExtensions: [extension], CFBundleTypeRole: 'Editor', LSHandlerRank: 'Alternate',
}))

export const fileAssociations = documents.map(({ extension, name }) => ({
  ext: extension, name, mimeType: `application/x-${extension}`, role: 'Editor' as const, rank: 'Alternate' as const,
}))
