/**
 * @file Builds the addon (`build/halftone.node`) and the stand-alone operator library with the plain C++ compiler:
 * no node-gyp, no header download. Objects are cached by the time stamps of their source and the headers it includes, and by the flags.
 * Files named *.avx2.cc, *.avx512.cc and *.avx512vnni.cc are compiled with that instruction set (simd/cpu.h) on x86-64 and
 * left out elsewhere; *.neon.cc on arm64.
 * `node kernels/build.ts --sanitize` builds with address and undefined-behaviour sanitizers into build/sanitize.
 * HALFTONE_KERNELS names another folder than build, as it does for the loader. Files appear whole: two builds may overlap.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const here = import.meta.dirname
const require = createRequire(import.meta.url)
const sanitize = process.argv.includes('--sanitize')
const out = path.join(process.env.HALFTONE_KERNELS ?? path.join(here, 'build'), ...(sanitize ? ['sanitize'] : []))
const windows = process.platform === 'win32'

const napi = path.dirname(require.resolve('node-addon-api/package.json'))
const nodeApi = require('node-api-headers') as { include_dir: string; def_paths: { node_api_def: string } }
const includes = [nodeApi.include_dir, napi]

interface Product { name: string; folders: string[]; addon: boolean }
const products: Product[] = [
  { name: 'halftone.node', folders: ['reference', 'simd', 'ops', 'node'], addon: true },
  { name: windows ? 'halftone_ops.dll' : process.platform === 'darwin' ? 'libhalftone_ops.dylib' : 'libhalftone_ops.so', folders: ['reference', 'simd', 'ops', 'library'], addon: false },
]

const compiler = process.env.CXX ?? (windows ? 'cl' : 'c++')
const common = windows
  ? ['/nologo', '/std:c++20', '/utf-8', '/O2', '/EHsc', '/MD', '/W3', '/DNAPI_VERSION=9', '/DNODE_ADDON_API_CPP_EXCEPTIONS', '/DNOMINMAX']
  : ['-std=c++20', '-O3', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', ...(process.env.CI ? ['-Werror', '-Wno-error=stringop-overflow', '-Wno-error=maybe-uninitialized'] : []), // GCC 12 sees these two where they are not
       '-fno-math-errno', '-ffp-contract=off', '-DNAPI_VERSION=9', '-DNODE_ADDON_API_CPP_EXCEPTIONS',
      ...(sanitize ? ['-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-g', '-O1'] : [])]
const avx2 = ['-mavx2', '-mfma', '-mf16c']
const avx512 = [...avx2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl']
const wide: Record<string, string[]> = {
  avx2: windows ? ['/arch:AVX2'] : avx2,
  avx512: windows ? ['/arch:AVX512'] : avx512,
  avx512vnni: windows ? ['/arch:AVX512'] : [...avx512, '-mavx512vbmi', '-mavx512vnni'],
  neon: [],
}
const architectures: Record<string, string> = { avx2: 'x64', avx512: 'x64', avx512vnni: 'x64', neon: 'arm64' }

/** The instruction set that a source is for; undefined for those that every machine runs. */
function variantOf(source: string): string | undefined {
  return /\.(\w+)\.cc$/.exec(source)?.[1]
}

/** Sources of a folder that this machine's architecture can compile. */
function sources(folder: string): string[] {
  if (!existsSync(path.join(here, folder))) return []
  return readdirSync(path.join(here, folder))
    .filter((name) => name.endsWith('.cc') && (architectures[variantOf(name) ?? ''] ?? process.arch) === process.arch)
    .map((name) => path.join(folder, name))
}

/** The path to write to in place of `target`, and the step that moves the finished file there. */
function whole(target: string): { part: string; finish: () => void } {
  const part = path.join(path.dirname(target), `${String(process.pid)}-${path.basename(target)}`)
  return { part, finish: () => renameSync(part, target) }
}

function run(command: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: here, stdio: 'inherit' })
    child.on('error', (cause) => { reject(new Error(`kernels: cannot start the C++ compiler "${command}" (${cause.message}). Install a C++20 compiler, or name one in CXX.`)) })
    child.on('exit', (code) => { if (code === 0) resolve(); else reject(new Error(`kernels: ${command} failed with ${String(code)} on ${args.at(-1) ?? ''}`)) })
  })
}

/** Newest change of a source or of any header of ours that it includes, however deep. */
const changes = new Map<string, number>()
function newestChange(file: string): number {
  const known = changes.get(file)
  if (known !== undefined) return known
  const own = statSync(file).mtimeMs
  changes.set(file, own) // ends circles of includes
  const includes = [...readFileSync(file, 'utf8').matchAll(/^#include "([^"]+)"/gm)].map(([, name]) => path.join(path.dirname(file), name ?? '')).filter((header) => existsSync(header))
  const newest = Math.max(own, ...includes.map(newestChange))
  changes.set(file, newest)
  return newest
}

/** All objects are made again where the compiler or its flags have changed. */
const recipe = JSON.stringify([compiler, common, wide])
const recipeFile = path.join(out, 'objects', 'recipe.json')
const sameRecipe = existsSync(recipeFile) && readFileSync(recipeFile, 'utf8') === recipe

const jobs: (() => Promise<void>)[] = []
const objects = new Map<string, string>()
for (const source of new Set(products.flatMap((product) => product.folders.flatMap(sources)))) {
  const object = path.join(out, 'objects', `${source.replaceAll(path.sep, '-')}${windows ? '.obj' : '.o'}`)
  objects.set(source, object)
  if (sameRecipe && existsSync(object) && statSync(object).mtimeMs >= newestChange(path.join(here, source))) continue
  const flags = [...common, ...(wide[variantOf(source) ?? ''] ?? [])]
  jobs.push(async () => {
    const { part, finish } = whole(object)
    await run(compiler, windows
      ? [...flags, ...includes.map((folder) => `/I${folder}`), '/c', `/Fo${part}`, source]
      : [...flags, ...includes.flatMap((folder) => ['-isystem', folder]), '-c', '-o', part, source])
    finish()
  })
}

mkdirSync(path.join(out, 'objects'), { recursive: true })
if (!sameRecipe) rmSync(recipeFile, { force: true })
const compiled = jobs.length
await Promise.all(Array.from({ length: Math.max(1, os.availableParallelism()) }, async () => {
  for (let job = jobs.shift(); job; job = jobs.shift()) await job()
}))

writeFileSync(recipeFile, recipe)

for (const product of products) {
  const inputs = [...objects].filter(([source]) => product.folders.includes(path.dirname(source))).map(([, object]) => object)
  const target = path.join(out, product.name)
  if (existsSync(target) && inputs.every((object) => statSync(object).mtimeMs <= statSync(target).mtimeMs)) continue
  const { part, finish } = whole(target)
  if (windows) {
    const library = path.join(out, 'node_api.lib')
    if (product.addon) await run('lib', ['/nologo', `/def:${nodeApi.def_paths.node_api_def}`, `/out:${library}`, '/machine:x64'])
    await run('link', ['/nologo', '/dll', `/out:${part}`, ...inputs, ...(product.addon ? [library, 'delayimp.lib', '/delayload:node.exe'] : [])])
  } else {
    const shared = process.platform === 'darwin' ? ['-dynamiclib', '-undefined', 'dynamic_lookup'] : ['-shared', '-static-libstdc++', '-static-libgcc', '-Wl,--exclude-libs,ALL']
    await run(compiler, [...shared, ...(sanitize ? ['-fsanitize=address,undefined'] : []), '-o', part, ...inputs, ...(process.platform === 'linux' ? ['-ldl', '-lpthread'] : [])])
  }
  finish()
}
if (compiled) writeFileSync(path.join(out, 'built.txt'), `${process.platform}-${process.arch} ${String(compiled)} objects\n`)
