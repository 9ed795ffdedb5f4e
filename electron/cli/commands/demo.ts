/** @file halftone demo: compresses the bundled sample model, so that a newcomer sees a before and after. */
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { runCommand } from '../terminal.ts'
import type { AddCommand } from './command.ts'
import { compress, reportText } from './compress.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')

export const addDemo: AddCommand = (program) => {
  program
    .command('demo')
    .description('compress the bundled sample model and show before and after')
    .option('--out <folder>', 'where the result goes (default: a new temporary folder)')
    .option('--json', 'print one JSON object')
    .action(async (options: { out?: string; json?: boolean }) => {
      await runCommand(options, async ({ context, result }) => {
        const out = options.out ?? await mkdtemp(path.join(os.tmpdir(), 'halftone-'))
        const report = await compress(sample, {
          data: path.join(sample, 'calibration.txt'), text: path.join(sample, 'validation.txt'), target: 'gguf', budget: '3.5bpw', out,
          metric: 'kl-scaled', rounder: 'guided', correct: 'none', samples: 48, length: 512, seed: 0, pin: {},
        }, context)
        result(report, reportText)
      })
    })
}
