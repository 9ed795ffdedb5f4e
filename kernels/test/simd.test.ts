/** @file The choice of the instruction set: by name, by the environment; what is not there is refused. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { kernels } from '../kernels.ts'

const halftone = kernels()
const widest = halftone.simdSets().at(-1)

/** What a program that asks for `set` by the environment says it uses. */
function started(set: string) {
  const source = `import { kernels } from ${JSON.stringify(path.resolve(import.meta.dirname, '../kernels.ts'))}\nprocess.stdout.write(kernels().simd())`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8', env: { ...process.env, HALFTONE_SIMD: set } })
}

afterEach(() => halftone.setSimd('auto'))

describe('instruction sets', () => {
  it('begin with the baseline, and the widest is used', () => {
    expect(halftone.simdSets()[0]).toBe('scalar')
    expect(halftone.simd()).toBe(process.env.HALFTONE_SIMD ?? widest)
  })

  it.each(halftone.simdSets())('%s is used where it is chosen', (set) => {
    halftone.setSimd(set)
    expect(halftone.simd()).toBe(set)
    expect(started(set).stdout).toBe(set)
  })

  it('that this machine lacks are refused by name', () => {
    const missing = ['avx2', 'avx512', 'avx512vnni', 'neon', 'mmx'].filter((name) => !halftone.simdSets().includes(name))
    for (const name of missing) expect(() => { halftone.setSimd(name) }).toThrow(`setSimd: this machine has no "${name}"`)
    expect(started('mmx').stderr).toContain('HALFTONE_SIMD: this machine has no "mmx"')
    expect(started('mmx').status).not.toBe(0)
  })
})
