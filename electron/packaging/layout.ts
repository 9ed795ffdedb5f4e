/**
 * @file What a package holds beside Electron. In the archive: the bundles, and the packages they load at run time. Beside it,
 * in the resources folder, what native code opens by itself: the kernels and the sample model. Native libraries of
 * packages are put beside the archive by asar's own `unpack`.
 */
import { cp, glob, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { externals } from './externals.ts'

const root = path.resolve(import.meta.dirname, '../..')
const require = createRequire(import.meta.url)

/** Files that cannot be opened inside the archive. */
export const unpacked = '**/*.{node,dll,dylib,so,so.*}'

const nativeLibraries: Readonly<Record<string, string>> = { linux: 'libhalftone_ops.so', darwin: 'libhalftone_ops.dylib', win32: 'halftone_ops.dll' }

/** True for what the packager must not copy from the repository; `file` begins with a slash, and is empty for the root. */
export function isLeftOut(file: string): boolean {
  if (file === '' || file === '/package.json' || file === '/LICENSE') return false
  return !(file === '/.vite' || file.startsWith('/.vite/')) || file.endsWith('.map')
}

/** Copies the packages loaded at run time below `app`, the folder that becomes the archive; only the files of one platform. */
export async function copyExternals(app: string, platform: string, arch: string): Promise<void> {
  for (const [name, { keeps }] of Object.entries(externals)) {
    const from = path.join(root, 'node_modules', name)
    for await (const file of glob('**/*', { cwd: from })) {
      if (!keeps(file.replaceAll(path.sep, '/'), { platform, arch })) continue
      const to = path.join(app, 'node_modules', name, file)
      await mkdir(path.dirname(to), { recursive: true })
      await cp(path.join(from, file), to)
    }
  }
}

/** Copies the kernels and the sample to `resources`, where `electron/main/paths.ts` looks for them. */
export async function copyResources(resources: string, platform: string): Promise<void> {
  const kernels = path.join(resources, 'kernels')
  await mkdir(kernels, { recursive: true })
  for (const name of ['halftone.node', nativeLibraries[platform]]) await cp(path.join(root, 'kernels/build', name), path.join(kernels, name))
  await cp(path.join(root, 'assets/sample-model'), path.join(resources, 'assets/sample-model'), { recursive: true })
}

export const electronVersion = (require('electron/package.json') as { version: string }).version
