/**
 * @file Electron Forge: how the bundles are built and the app is packaged. Installers are made from the result by
 * electron-builder (`electron-builder.config.ts`).
 */
import { VitePlugin } from '@electron-forge/plugin-vite'
import type { ForgeConfig } from '@electron-forge/shared-types'

const config: ForgeConfig = {
  packagerConfig: { asar: true },
  plugins: [
    new VitePlugin({
      build: [
        { entry: 'electron/main/main.ts', config: 'electron/vite.main.config.ts', target: 'main' },
        { entry: 'electron/engine/worker.ts', config: 'electron/vite.main.config.ts', target: 'main' },
        { entry: 'electron/preload/preload.ts', config: 'electron/vite.preload.config.ts', target: 'preload' },
      ],
      renderer: [{ name: 'window', config: 'electron/vite.renderer.config.ts' }],
    }),
  ],
}
export default config
