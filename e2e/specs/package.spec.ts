/**
 * The package, as far as it can be checked without Electron's binary: Forge packs the app around a stand-in for it, and what
 * was packed runs on the host of the other specs. Installers are checked up to the point where a tool has to be downloaded.
 */
import { extractAll, getRawHeader, listPackage } from '@electron/asar'
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses'
import { execFile } from 'node:child_process'
import { globSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuses } from '../../electron/packaging/fuses.ts'
import { hostFolder } from '../electron-path.ts'
import { writeStandInElectron } from '../stand-in-electron.ts'

const run = promisify(execFile)
const root = path.resolve(import.meta.dirname, '../..')
const { platform, arch } = process
const packageFolder = path.join(root, 'out', `Halftone-${platform}-${arch}`)
const archive = path.join(packageFolder, 'resources/app.asar')
const buildMs = 600_000

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-package-'))
  await writeStandInElectron(folder)
  await run(process.execPath, ['node_modules/@electron-forge/cli/dist/electron-forge-package.js'], { cwd: root, env: { ...process.env, ELECTRON_ZIP_DIR: folder } })
}, buildMs)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the archive holds the bundles and what they load, of this platform alone, and no source maps', async () => {
  const files = listPackage(archive, { isPack: false })
  for (const file of ['main.cjs', 'preload.cjs', 'worker.cjs']) expect(files).toContain(`/.vite/build/${file}`)
  expect(files).toContain('/.vite/renderer/window/index.html')
  expect(new Set(files.map((file) => file.split('/')[1]))).toEqual(new Set(['.vite', 'node_modules', 'package.json', 'LICENSE']))
  expect(files.filter((file) => file.endsWith('.map'))).toEqual([])
  expect(files.filter((file) => /^\/node_modules\/@img\/[^/]+$/.test(file)).sort()).toEqual(['colour', `sharp-${platform}-${arch}`, `sharp-libvips-${platform}-${arch}`].map((name) => `/node_modules/@img/${name}`).sort())
  expect(files.filter((file) => /\/napi-v\d+\/[^/]+\/[^/]+$/.test(file))).toEqual([`/node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`])

  const packed = new Set(files.map((file) => /^\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]))
  for (const bundle of ['main.cjs', 'worker.cjs']) {
    const text = await readFile(path.join(root, '.vite/build', bundle), 'utf8')
    const asked = Array.from(text.matchAll(/\brequire\("([^".][^"]*)"\)/g), ([, name]) => name).filter((name) => !name.startsWith('node:') && !builtinModules.includes(name) && name !== 'electron')
    expect(asked.filter((name) => !packed.has(name)), bundle).toEqual([])
  }
})

test('native files lie beside the archive, kernels and sample in the resources', async () => {
  interface Entry { readonly files?: Record<string, Entry>; readonly unpacked?: boolean }
  const inside: string[] = []
  const walk = (entry: Entry, name: string): void => {
    if (!entry.files && entry.unpacked !== true) inside.push(name)
    for (const [child, below] of Object.entries(entry.files ?? {})) walk(below, `${name}/${child}`)
  }
  walk(getRawHeader(archive).header, '')
  expect(inside.filter((name) => /\.(node|dll|dylib|so(\.\d+)*)$/.test(name))).toEqual([])
  const beside = globSync('**/*.{node,so,so.*,dylib,dll}', { cwd: path.join(packageFolder, 'resources') })
  const isOfPictures = (name: string): boolean => name.includes('/node_modules/@img/')
  expect(beside.filter(isOfPictures)).toHaveLength(2)
  expect(beside.filter((name) => !isOfPictures(name)).sort()).toEqual([`app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}/libonnxruntime.so.1`, 'kernels/halftone.node', 'kernels/libhalftone_ops.so'])
  expect((await stat(path.join(packageFolder, 'resources/assets/sample-model/model.safetensors'))).size).toBeGreaterThan(10_000_000)
})

test('every fuse of the executable is set as decided', async () => {
  const wire = await getCurrentFuseWire(path.join(packageFolder, 'halftone'))
  const names = Object.values(FuseV1Options).filter((value) => typeof value === 'number')
  expect(Object.fromEntries(names.map((name) => [FuseV1Options[name], wire[name] === FuseState.ENABLE]))).toEqual(Object.fromEntries(names.map((name) => [FuseV1Options[name], fuses[name]])))
  expect([fuses[FuseV1Options.RunAsNode], fuses[FuseV1Options.OnlyLoadAppFromAsar], fuses[FuseV1Options.EnableEmbeddedAsarIntegrityValidation]]).toEqual([false, true, true])
})

test('the installers accept the package', async () => {
  const { stdout, stderr } = await run(process.execPath, [
    'node_modules/electron-builder/cli.js', '--prepackaged', packageFolder, '--config', 'electron/packaging/installers.config.ts', '--publish', 'never', '--linux', 'dir',
  ], { cwd: root, env: { ...process.env, VITEST: undefined } }) // it says nothing below vitest
  expect(stdout + stderr).toContain('loaded configuration')
}, buildMs)

test('what was packed finds its engine, kernels, runtime and solver, and compresses', async () => {
  const place = path.join(folder, 'elsewhere')
  await cp(hostFolder, place, { recursive: true })
  await cp(path.join(packageFolder, 'resources'), path.join(place, 'resources'), { recursive: true })
  extractAll(archive, path.join(place, 'resources/app'))
  const { stdout } = await run(path.join(place, 'electron'), ['--self-test', `--user-data-dir=${path.join(folder, 'profile')}`], { cwd: folder })
  const said = JSON.parse(stdout) as { ok: boolean; sizeBytes: number; predictedBytes: number; tokens: number }
  expect(said).toMatchObject({ ok: true, tokens: 4 })
  expect(said.sizeBytes).toBe(said.predictedBytes)
}, buildMs)

test('a package without its kernels says so and fails', async () => {
  const place = path.join(folder, 'elsewhere')
  await rm(path.join(place, 'resources/kernels'), { recursive: true })
  const failed: unknown = await run(path.join(place, 'electron'), ['--self-test', `--user-data-dir=${path.join(folder, 'profile')}`], { cwd: folder }).catch((cause: unknown) => cause)
  expect(failed).toMatchObject({ code: 1 })
  expect((failed as { stdout: string }).stdout).toContain('kernels-missing')
}, buildMs)
