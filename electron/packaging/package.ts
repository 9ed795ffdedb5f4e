/**
 * @file `npm run package`: the release script. Builds the kernels and the bundles, packages the app for this machine's system
 * (`out/Halftone-<platform>-<arch>`), lets the packaged app test itself, and makes installers of it in `out/installers`:
 * AppImage and deb on Linux, NSIS on Windows, dmg on macOS. Run it once on each system, signed as `signing.ts` says.
 * `--no-installers` ends with the tested folder. Electron is downloaded, or taken from the folder of zip files ELECTRON_ZIP_DIR.
 */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../..')
const { platform, arch } = process
const folder = path.join(root, 'out', `Halftone-${platform}-${arch}`)

function run(what: string, command: string, args: readonly string[]): void {
  console.log(`package: ${what}`)
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status === 0) return
  console.error(`package: ${what} failed${error ? `: ${error.message}` : ` with ${String(status)}`}`)
  process.exit(1)
}

/** A tool of node_modules by its own script, so that no shell is needed on Windows either. */
const tool = (script: string, ...args: string[]): [string, string[]] => [process.execPath, [path.join(root, 'node_modules', script), ...args]]

const executables: Readonly<Record<string, string>> = { linux: 'halftone', darwin: 'Halftone.app/Contents/MacOS/Halftone', win32: 'Halftone.exe' }
const app = platform === 'darwin' ? path.join(folder, 'Halftone.app') : folder

run('kernels', process.execPath, ['kernels/build.ts'])
run('the app', ...tool('@electron-forge/cli/dist/electron-forge-package.js', '--platform', platform, '--arch', arch))
run('self-test of the packaged app', path.join(folder, executables[platform]), ['--self-test'])
if (!process.argv.includes('--no-installers')) {
  run('installers', ...tool('electron-builder/cli.js', '--prepackaged', app, '--config', 'electron/packaging/installers.config.ts', '--publish', 'never'))
}
