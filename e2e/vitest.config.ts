/** @file The end-to-end specs: one file after the other, as each starts the app. */
import path from 'node:path'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: path.dirname(import.meta.dirname),
  test: {
    include: ['e2e/**/*.spec.ts'],
    globalSetup: ['e2e/announce.ts'],
    pool: 'forks',
    fileParallelism: false,
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
