/** @file The sandboxed preload script: one CommonJS file. */
import { defineConfig } from 'vite'

export default defineConfig({})
