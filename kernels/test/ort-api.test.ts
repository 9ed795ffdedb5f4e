import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { compile } from './compile.ts'

const tables = ['Api', 'ApiBase', 'CustomOp'] as const
const names = z.array(z.string())
const slots = z.object({ Api: names, ApiBase: names, CustomOp: names }).parse(JSON.parse(readFileSync(path.join(import.meta.dirname, 'goldens', 'ort-slots.json'), 'utf8')))
const own = path.join(import.meta.dirname, '..', 'node', 'ort_api.h')

/** The members of a struct of our header that are not gaps, in order. */
function members(table: (typeof tables)[number]): string[] {
  const text = new RegExp(`struct ${table} \\{\\n([^}]*)\\};`).exec(readFileSync(own, 'utf8'))?.[1] ?? ''
  return [...text.matchAll(/\(ORT_CALL\* (\w+)\)|uint32_t (\w+);/g)].map((match) => match[1] ?? match[2] ?? '')
}

describe('the view of the C API', () => {
  let folder = ''
  beforeAll(() => { folder = mkdtempSync(path.join(os.tmpdir(), 'halftone-ort-api-')) })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('has every function at the place of the full header', () => {
    expect(members('Api').length).toBeGreaterThan(50)
    const places = tables.flatMap((table) => members(table).map((name) => `std::printf("${table} ${name} %zu\\n", offsetof(halftone::ort::${table}, ${name}) / sizeof(void*));`))
    const source = path.join(folder, 'places.cc')
    writeFileSync(source, `#include <cstdio>\n#include ${JSON.stringify(own)}\nint main() {\n${places.join('\n')}\n}\n`)
    const { stdout } = spawnSync(compile(folder, 'places', [source]), { encoding: 'utf8' })
    const expected = tables.flatMap((table) => members(table).map((name) => `${table} ${name} ${slots[table].indexOf(name)}`))
    expect(stdout.trim().split('\n')).toEqual(expected)
  })

  // With the whole header at hand the compiler compares the two; otherwise its list of slots must at least be whole.
  const folders = ['/usr/include/onnxruntime', '/usr/include/onnxruntime/core/session', '/usr/local/include/onnxruntime', '/opt/homebrew/include/onnxruntime']
  const full = [process.env.HALFTONE_ORT_HEADER, ...folders.map((include) => `${include}/onnxruntime_c_api.h`)].find((file) => file !== undefined && existsSync(file))

  it(full === undefined ? 'rests on a whole list of slots' : `agrees with ${full}`, () => {
    for (const table of tables) expect(new Set(slots[table]).size).toBe(slots[table].length)
    // Four places known from the prose of the C API's releases, so that the list itself cannot have slipped.
    expect(['CreateStatus', 'ReleaseSessionOptions', 'CreatePrepackedWeightsContainer', 'KernelContext_ParallelFor'].map((name) => slots.Api.indexOf(name))).toEqual([0, 100, 166, 274])
    if (full === undefined) return
    const checks = tables.flatMap((table) => members(table).map((name) => `static_assert(offsetof(halftone::ort::${table}, ${name}) == offsetof(Ort${table}, ${name}), "${name}");`))
    const source = path.join(folder, 'agrees.cc')
    writeFileSync(source, `#include <cstddef>\n#include ${JSON.stringify(full)}\n#include ${JSON.stringify(own)}\n${checks.join('\n')}\nint main() {}\n`)
    expect(() => compile(folder, 'agrees', [source])).not.toThrow()
  })
})
