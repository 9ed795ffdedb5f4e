import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['electron/**/*.test.ts', 'kernels/**/*.test.ts', 'renderer/**/*.test.{ts,tsx}'],
    pool: 'forks',
    maxWorkers: 2,
    // Limits for a hang, not for speed: a busy machine may take its time over a whole compression.
    testTimeout: 900_000,
    hookTimeout: 900_000,
  },
})
