/** @file The end-to-end specs: one file after the other, as each starts the app. */
import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { patienceMs } from './launch.ts'

export default defineConfig({
  root: path.dirname(import.meta.dirname),
  test: {
    include: ['e2e/**/*.spec.ts'],
    globalSetup: ['e2e/announce.ts'],
    pool: 'forks',
    fileParallelism: false,
    retry: 1, // for drags that the browser does not answer (launch.ts)
    expect: { poll: { timeout: patienceMs } },
    testTimeout: 5 * patienceMs,
    hookTimeout: 2 * patienceMs,
  },
})
