/** @file Compiles a small C++ program with the compiler that builds the kernels. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

/** The path of `folder/name` made from `sources`; throws with the compiler's messages. */
export function compile(folder: string, name: string, sources: readonly string[], flags: readonly string[] = []): string {
  const windows = process.platform === 'win32'
  const program = path.join(folder, windows ? `${name}.exe` : name)
  const compiler = process.env.CXX ?? (windows ? 'cl' : 'c++')
  const options = windows ? ['/nologo', '/std:c++20', '/EHsc', `/Fe${program}`, `/Fo${folder}${path.sep}`] : ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-o', program]
  const libraries = process.platform === 'linux' ? ['-ldl', '-lpthread'] : []
  const { status, stdout, stderr } = spawnSync(compiler, [...options, ...flags, ...sources, ...libraries], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${compiler} failed on ${sources.join(' ')}:\n${stdout}${stderr}`)
  return program
}
