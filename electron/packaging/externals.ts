/**
 * @file Packages that are loaded at run time and not bundled, as they hold native or WebAssembly files; each with what of it
 * a package for one platform needs. A package that a bundle asks for and that is not in this table fails the layout test.
 */
import path from 'node:path'

interface Target { readonly platform: string; readonly arch: string }

interface External {
  /** Whether a file, named from the package's folder with slashes, goes along. */
  readonly keeps: (file: string, target: Target) => boolean
}

const isManifest = (file: string): boolean => file === 'package.json' || /^licen[cs]e/i.test(file)

export const externals = {
  // Of its 290 MB only the library of one platform: the engine opens it directly, not through the package's own binding.
  'onnxruntime-node': {
    keeps: (file, { platform, arch }) => isManifest(file) || (path.posix.dirname(file) === `bin/napi-v6/${platform}/${arch}` && !file.endsWith('.node')),
  },
  highs: { keeps: (file) => isManifest(file) || ['build/highs.js', 'build/highs.wasm'].includes(file) },
} as const satisfies Record<string, External>

export type ExternalName = keyof typeof externals
