/** @file The settings, kept in one file. */
import type { Settings } from '../contract/settings.ts'
import { Settings as Schema } from '../contract/settings.ts'
import { readJson, writeJson } from './json-file.ts'
import { patched } from './patched.ts'

export interface SettingsStore {
  get: () => Settings
  update: (patch: { readonly [K in keyof Settings]?: Settings[K] | undefined }) => Promise<Settings>
}

export async function createSettings(file: string, onChange: (settings: Settings) => void): Promise<SettingsStore> {
  let settings = (await readJson(file, Schema)) ?? Schema.parse({})
  return {
    get: () => settings,
    async update(patch) {
      settings = patched(settings, patch)
      onChange(settings)
      await writeJson(file, settings)
      return settings
    },
  }
}
