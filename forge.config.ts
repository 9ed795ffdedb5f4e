/**
 * @file Electron Forge: how the bundles are built and the app is packaged. Installers are made from the result by
 * electron-builder (`electron/packaging/installers.config.ts`); `npm run package` does both. ELECTRON_ZIP_DIR names a folder
 * of Electron's zip files where they cannot be downloaded.
 */
import { FusesPlugin } from '@electron-forge/plugin-fuses'
import { VitePlugin } from '@electron-forge/plugin-vite'
import type { ForgeConfig } from '@electron-forge/shared-types'
import path from 'node:path'
import { documentTypes } from './electron/packaging/documents.ts'
import { fuses } from './electron/packaging/fuses.ts'
import { copyExternals, copyResources, isLeftOut, unpacked } from './electron/packaging/layout.ts'
import { signing } from './electron/packaging/signing.ts'

const electronZipDir = process.env.ELECTRON_ZIP_DIR

const config: ForgeConfig = {
  packagerConfig: {
    asar: { unpack: unpacked },
    ignore: isLeftOut,
    prune: false, // nothing of node_modules is copied but what layout.ts copies
    executableName: process.platform === 'linux' ? 'halftone' : 'Halftone',
    appBundleId: 'app.halftone',
    appCategoryType: 'public.app-category.developer-tools',
    icon: 'assets/icons/icon',
    extendInfo: { CFBundleDocumentTypes: documentTypes },
    ...signing(process.env, process.platform),
    ...(electronZipDir !== undefined && { electronZipDir }),
  },
  rebuildConfig: { onlyModules: [] }, // the addon speaks Node-API: one build serves Node and Electron
  hooks: {
    packageAfterCopy: async (_config, app, _version, platform, arch) => {
      await copyExternals(app, platform, arch)
      await copyResources(path.dirname(app), platform)
    },
  },
  plugins: [
    new VitePlugin({
      build: [
        { entry: 'electron/main/main.ts', config: 'electron/vite.main.config.ts', target: 'main' },
        { entry: 'electron/engine/worker.ts', config: 'electron/vite.main.config.ts', target: 'main' },
        { entry: 'electron/preload/preload.ts', config: 'electron/vite.preload.config.ts', target: 'preload' },
      ],
      renderer: [{ name: 'window', config: 'electron/vite.renderer.config.ts' }],
    }),
    new FusesPlugin(fuses),
  ],
}
export default config
