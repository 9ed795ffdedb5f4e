/**
 * @file Bundles of the main process and of the engine. Packages with native or WebAssembly files are loaded, not bundled. The
 * output is CommonJS, where `import.meta` does not exist: what is used of it is given its CommonJS name.
 */
import { defineConfig } from 'vite'

export default defineConfig({
  define: { 'import.meta.url': '__bundleUrl', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  build: {
    sourcemap: true,
    rolldownOptions: {
      external: ['onnxruntime-node', 'sharp', 'highs', /\.node$/],
      output: { banner: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    },
  },
})
