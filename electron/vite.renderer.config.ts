/** @file The page. Relative addresses, so that the same files work under app:// and in the development server. */
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import path from 'node:path'
import { defineConfig } from 'vite'

const root = path.dirname(import.meta.dirname)

export default defineConfig({
  root: path.join(root, 'renderer'),
  plugins: [react(), tailwindcss()],
  build: { outDir: path.join(root, '.vite/renderer/window'), emptyOutDir: true, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1500 },
})
