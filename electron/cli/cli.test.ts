import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CompressReport } from '../contract/report.ts'
import { Recipe } from '../contract/recipe.ts'

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
const main = path.join(import.meta.dirname, 'main.ts')
interface Ended { readonly code: number | null; readonly stdout: string; readonly stderr: string }

let folder: string
let data: string
let text: string
/** An uninterrupted run into the folder `plain`. */
let plain: Ended

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

const halftone = (...args: string[]): Promise<Ended> => ended(start(...args))

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-cli-'))
  data = path.join(folder, 'data.txt')
  text = path.join(folder, 'text.txt')
  await writeFile(data, (await readFile(path.join(sample, 'calibration.txt'), 'utf8')).slice(0, 20_000))
  await writeFile(text, (await readFile(path.join(sample, 'validation.txt'), 'utf8')).slice(0, 8_000))
  plain = await halftone(...small(path.join(folder, 'plain')), '--json')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A small but whole run: few windows, few formats, the local metric. */
const small = (out: string): string[] => ['compress', sample, '--data', data, '--text', text, '--target', 'gguf', '--budget', '3.6bpw', '--metric', 'layer-output', '--options', 'Q2_K,Q4_K,Q6_K,Q8_0', '--samples', '3', '--out', out]

describe('halftone compress', () => {
  it('prints one JSON object and keeps the promise about the size', async () => {
    const { code, stdout, stderr } = plain
    expect(stderr).toContain('quantize')
    expect(code).toBe(0)
    const report = CompressReport.parse(JSON.parse(stdout))
    expect(report.sizeBytes).toBe(report.predicted.sizeBytes)
    expect(report.bitsPerWeight).toBeLessThanOrEqual(3.6)
    expect((await readFile(report.output)).length).toBe(report.sizeBytes)
    expect(report.klMean).toBeLessThan(0.1)
    expect(report.perplexityReference).toBeGreaterThan(1)
  })

  it('gives the same bytes after being killed at any moment and resumed', async () => {
    const wanted = await readFile(path.join(folder, 'plain', 'model.gguf'))
    const out = path.join(folder, 'killed')
    // Moments by what has been said, so that slow and fast machines are killed in the same places.
    const moments = [/measure (?!1\/)\d+/, /quantize 5\/43/, /quantize 2\d\/43/, /export/]
    for (const [index, moment] of moments.entries()) {
      const child = start(...small(out), ...(index === 0 ? [] : ['--resume']))
      let said = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (moment.test(said)) child.kill('SIGKILL')
      })
      await once(child, 'close')
      expect(said, `reached ${String(moment)}`).toMatch(moment)
    }
    const { code, stderr } = await halftone(...small(out), '--resume')
    expect(stderr).not.toContain('error')
    expect(code).toBe(0)
    expect((await readFile(path.join(out, 'model.gguf'))).equals(wanted)).toBe(true)
    expect((await readdir(out)).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  it('ends within a second of Ctrl-C, with code 130', async () => {
    const child = start(...small(path.join(folder, 'cancelled')))
    const result = ended(child)
    let at = 0
    child.stderr?.on('data', (chunk: Buffer) => {
      if (at === 0 && chunk.toString().includes('measure')) {
        at = performance.now()
        child.kill('SIGINT')
      }
    })
    const { code, stderr } = await result
    expect(code).toBe(130)
    expect(stderr).toContain('cancelled')
    expect(at).toBeGreaterThan(0)
  })

  it('does not overwrite an earlier result', async () => {
    const { code, stderr } = await halftone(...small(path.join(folder, 'plain')))
    expect(code).toBe(1)
    expect(stderr).toMatch(/holds an earlier result[\s\S]*--resume/)
  })

  it('does not go on with a run that was begun with other options', async () => {
    const out = path.join(folder, 'plain')
    const other = await halftone(...small(out).map((word) => (word === '3.6bpw' ? '4bpw' : word)), '--resume')
    expect(other.code).toBe(1)
    expect(other.stderr).toMatch(/begun with budget.*3\.6.*expected.*4[\s\S]*--out/)
    const trained = await halftone(...small(out), '--train-steps', '7', '--resume')
    expect(trained.stderr).toMatch(/begun with training none, expected .*"steps":7/)
  })
})

describe('what cannot be used', () => {
  const refused = async (args: string[], message: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await halftone(...args)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  }

  it('says the smallest possible size for an impossible budget, and who holds it up', async () => {
    const sensitivity = path.join(folder, 'plain', 'sensitivity.json')
    await refused(['plan', sample, '--measured', sensitivity, '--target', 'gguf', '--budget', '1bpw'], /smallest possible/i)
    await refused(['plan', sample, '--measured', sensitivity, '--target', 'gguf', '--budget', '2.9bpw', '--pin', 'embedding=Q8_0', '--pin', 'blocks.0.down=Q8_0'], /embedding/)
  })

  it('text that is too short, of another encoding, or missing', async () => {
    const short = path.join(folder, 'short.txt')
    await writeFile(short, 'Too short.')
    const latin = path.join(folder, 'latin.txt')
    await writeFile(latin, Buffer.concat([Buffer.from('abc '.repeat(2000)), Buffer.from([0xe9, 0x20])]))
    const args = (file: string): string[] => ['measure', sample, '--data', file, '--out', path.join(folder, 's.json')]
    await refused(args(short), /found \d+ tokens, expected at least 512/)
    await refused(args(latin), /UTF-8/)
    await refused(args(path.join(folder, 'none.txt')), /none\.txt/)
    await refused(['compress', sample, '--data', short, '--target', 'gguf', '--budget', '3bpw', '--out', path.join(folder, 'nothing')], /expected at least 512/)
    expect(await readdir(folder)).not.toContain('s.json')
    expect(await readdir(folder)).not.toContain('nothing')
  })

  it('a model of an unknown kind, one with NaN weights, one without its weights', async () => {
    const copy = path.join(folder, 'copy')
    await cp(sample, copy, { recursive: true })
    const config = JSON.parse(await readFile(path.join(sample, 'config.json'), 'utf8')) as Record<string, unknown>
    await writeFile(path.join(copy, 'config.json'), JSON.stringify({ ...config, model_type: 'mamba' }))
    await refused(['inspect', copy], /mamba[\s\S]*llama/)
    await copyFile(path.join(sample, 'config.json'), path.join(copy, 'config.json'))
    const weights = await readFile(path.join(sample, 'model.safetensors'))
    weights.writeUInt16LE(0x7e00, weights.length - 400) // a float16 NaN
    await writeFile(path.join(copy, 'model.safetensors'), weights)
    await refused(['measure', copy, '--data', data, '--samples', '2', '--metric', 'sqnr', '--out', path.join(folder, 'n.json')], /NaN/)
    await rm(path.join(copy, 'model.safetensors'))
    await refused(['inspect', copy], /model\.safetensors/)
  })

  it('wrong usage, with exit code 2', async () => {
    expect((await halftone('compress', sample)).code).toBe(2)
    expect((await halftone('plan', sample, '--measured', path.join(folder, 'plain', 'sensitivity.json'), '--target', 'gguf', '--budget', 'small')).code).toBe(2)
    expect((await halftone('nonsense')).code).toBe(2)
    expect((await halftone('--help')).code).toBe(0)
  })

  it('a recipe whose model has changed since', async () => {
    const recipe = Recipe.parse(JSON.parse(await readFile(path.join(folder, 'plain', 'recipe.json'), 'utf8')))
    const file = path.join(folder, 'changed.json')
    await writeFile(file, JSON.stringify({ ...recipe, model: { ...recipe.model, sha256: '0'.repeat(64) } }))
    await refused(['run', file, '--out', path.join(folder, 'changed')], /changed since the recipe was made/)
  })
})
