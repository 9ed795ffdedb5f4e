/**
 * @file Builds what `electron-forge package` would build, with Forge's own Vite plugin, but without packaging: that needs
 * an Electron binary, the bundles do not.
 */
import { VitePlugin } from '@electron-forge/plugin-vite'
import path from 'node:path'
import forge from '../forge.config.ts'

/** As much of Forge's task runner as the plugin uses: it nests tasks and renames them. */
interface Task { readonly task: (context: object, runner: Runner) => unknown }
interface Runner { title: string; newListr: (tasks: readonly Task[]) => Promise<unknown[]> }
type Hook = (this: Runner) => Promise<unknown>

function makeRunner(): Runner {
  return { title: '', newListr: (tasks) => Promise.all(tasks.map((task) => task.task({}, makeRunner()))) }
}

for (const plugin of forge.plugins ?? []) {
  if (!(plugin instanceof VitePlugin)) continue
  plugin.init(path.resolve(import.meta.dirname, '..'))
  for (const hook of [plugin.getHooks().prePackage ?? []].flat()) await (hook as unknown as Hook).call(makeRunner()) // Forge passes its task as `this`
}
