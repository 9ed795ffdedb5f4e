/**
 * @file Packages that are loaded at run time and not bundled, as they hold native or WebAssembly files; each with what of it
 * a package for one platform needs. A package that a bundle asks for and that is not in this table fails the layout test.
 */
import path from 'node:path'

interface Target { readonly platform: string; readonly arch: string }

interface External {
  /** Whether a file, named from the package's (or the scope's) folder with slashes, goes along. */
  readonly keeps: (file: string, target: Target) => boolean
}

const isManifest = (file: string): boolean => file === 'package.json' || /^licen[cs]e/i.test(file)
const isManifestOr = (keeps: (file: string) => boolean): External['keeps'] => (file) => isManifest(file) || keeps(file)

export const externals = {
  // Of its 290 MB only the library of one platform: the engine opens it directly, not through the package's own binding.
  'onnxruntime-node': {
    keeps: (file, { platform, arch }) => isManifest(file) || (path.posix.dirname(file) === `bin/napi-v6/${platform}/${arch}` && !file.endsWith('.node')),
  },
  // Decodes pictures; its binding and libvips are packages of their own, of which npm installs this platform's alone.
  sharp: { keeps: isManifestOr((file) => /^dist\/.*\.cjs$/.test(file)) },
  'detect-libc': { keeps: isManifestOr((file) => file.startsWith('lib/')) },
  semver: { keeps: isManifestOr((file) => file.endsWith('.js') && !file.startsWith('bin/')) },
  '@img': {
    keeps: (file, { platform, arch }) => {
      const [name = '', ...inside] = file.split('/')
      if (!['colour', `sharp-${platform}-${arch}`, `sharp-libvips-${platform}-${arch}`].includes(name)) return false
      return isManifest(inside.join('/')) || /(^|\/)versions\.json$|\.(c?js|node|dll|dylib|so(\.[\d.]+)?)$/.test(file)
    },
  },
  highs: { keeps: isManifestOr((file) => ['build/highs.js', 'build/highs.wasm'].includes(file)) },
} as const satisfies Record<string, External>

export type ExternalName = keyof typeof externals
