/** @file What the user sets once for all projects. */
import { z } from 'zod'

const theme = z.enum(['system', 'light', 'dark'])
const density = z.enum(['compact', 'comfortable'])
const memoryBytes = z.number().int().positive().nullable()
const whenDone = z.enum(['nothing', 'notify'])

export const Settings = z.object({
  theme: theme.default('system'),
  density: density.default('compact'),
  /** Memory the engine may park activations in; null: a share of what the machine has. */
  memoryBytes: memoryBytes.default(null),
  whenDone: whenDone.default('notify'),
  /** No sleep while a job runs. */
  keepAwake: z.boolean().default(true),
  /** Where finished checkpoints go. */
  outputFolder: z.string().nullable().default(null),
  /** Start nothing new after the current job. */
  holdQueue: z.boolean().default(false),
})
export type Settings = z.infer<typeof Settings>

/** What the window may change; the output folder changes only through the folder dialog. */
export const SettingsPatch = z.object({ theme, density, memoryBytes, whenDone, keepAwake: z.boolean(), holdQueue: z.boolean() }).partial()
export type SettingsPatch = z.infer<typeof SettingsPatch>
