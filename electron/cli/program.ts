/** @file The command line's table of contents. */
import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { addAdapter } from './commands/adapter.ts'
import { addCompress } from './commands/compress.ts'
import { addDemo } from './commands/demo.ts'
import { addEvaluate } from './commands/evaluate.ts'
import { addGenerate } from './commands/generate.ts'
import { addInspect } from './commands/inspect.ts'
import { addMeasure } from './commands/measure.ts'
import { addPlan } from './commands/plan.ts'
import { addRun } from './commands/run.ts'
import { addTrain } from './commands/train.ts'
import type { AddCommand } from './commands/command.ts'

const commands: readonly AddCommand[] = [addInspect, addMeasure, addPlan, addCompress, addRun, addTrain, addEvaluate, addGenerate, addAdapter, addDemo]

const program = new Command('halftone').description(packageJson.description).version(packageJson.version)
for (const add of commands) add(program)
for (const command of [program, ...program.commands]) command.exitOverride().showHelpAfterError()

try {
  await program.parseAsync()
} catch (cause) {
  if (!(cause instanceof CommanderError)) throw cause
  process.exitCode = cause.exitCode === 0 ? 0 : 2
}
