/** @file What the user sets once for all projects. */
import { z } from 'zod'

export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  density: z.enum(['compact', 'comfortable']).default('compact'),
  /** Memory the engine may park activations in; null: a share of what the machine has. */
  memoryBytes: z.number().int().positive().nullable().default(null),
  whenDone: z.enum(['nothing', 'notify']).default('notify'),
  keepAwake: z.boolean().default(true),
  /** Where finished checkpoints go. */
  outputFolder: z.string().nullable().default(null),
  /** Stop the queue after the current job. */
  holdQueue: z.boolean().default(false),
})
export type Settings = z.infer<typeof Settings>
/** The output folder changes only through the folder dialog. */
export const SettingsPatch = Settings.omit({ outputFolder: true }).partial()
export type SettingsPatch = z.infer<typeof SettingsPatch>
