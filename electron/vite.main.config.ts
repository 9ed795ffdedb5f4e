/** @file Bundles of the main process and of the engine. Packages with native or WebAssembly files are loaded, not bundled. */
import { defineConfig } from 'vite'

export default defineConfig({
  build: { sourcemap: true, rollupOptions: { external: ['onnxruntime-node', 'sharp', 'highs', /\.node$/] } },
})
