import { createHash } from 'node:crypto'
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { silent, type Context } from '../contract/events.ts'
import { downloadModel } from './hub-download.ts'

const model = { repo: 'maker/tiny', revision: 'main' }
const weights = Buffer.alloc(3_000_000, 'weights ')
const config = Buffer.from('{"model_type":"llama"}')
const card = Buffer.from('---\nlicense: mit\n---\n')
const blobId = (data: Buffer): string => createHash('sha1').update(`blob ${String(data.length)}\0`).update(data).digest('hex')

interface Hub { url: string; ranges: string[]; close: () => void }
const hubs: Hub[] = []
afterEach(() => { for (const hub of hubs.splice(0)) hub.close() })

/** A local server that speaks as much of the Hub's API as a download needs. */
async function serve(sha256 = createHash('sha256').update(weights).digest('hex')): Promise<Hub> {
  const files: Record<string, Buffer> = { 'config.json': config, 'README.md': card, 'model.safetensors': weights }
  const tree = [
    { type: 'file', path: 'config.json', size: config.length, oid: blobId(config) },
    { type: 'file', path: 'README.md', size: card.length, oid: blobId(card) },
    { type: 'file', path: 'model.safetensors', size: weights.length, oid: 'x', lfs: { oid: sha256, size: weights.length, pointerSize: 130 } },
    { type: 'file', path: 'pytorch_model.bin', size: 5, oid: 'y' },
    { type: 'directory', path: 'onnx', size: 0, oid: 'z' },
  ]
  const ranges: string[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const url = request.url ?? ''
    if (url.startsWith('/api/models/maker/tiny/tree/main')) {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(tree))
      return
    }
    const data = files[url.replace('/maker/tiny/resolve/main/', '').replace(/\?.*/, '')]
    if (!data) {
      response.writeHead(404).end()
      return
    }
    const range = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '')
    if (range && range[0] !== 'bytes=0-0') ranges.push(range[0])
    const [from, to] = range ? [Number(range[1]), Math.min(Number(range[2]), data.length - 1)] : [0, data.length - 1]
    response.writeHead(range ? 206 : 200, { etag: '"e"', 'content-length': to - from + 1, ...(range && { 'content-range': `bytes ${String(from)}-${String(to)}/${String(data.length)}` }) })
    response.end(data.subarray(from, to + 1))
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object' && address) resolve(address.port)
    })
  })
  const hub = { url: `http://127.0.0.1:${String(port)}`, ranges, close: () => { server.close() } }
  hubs.push(hub)
  return hub
}
const folder = (): Promise<string> => mkdtemp(path.join(os.tmpdir(), 'hub-'))

test('brings what a model is read from, checked, and says how far it is', async () => {
  const [hub, out] = [await serve(), await folder()]
  const done: number[] = []
  const context: Context = { ...silent, report: (event) => { if (event.type === 'progress') done.push(event.done) } }
  expect(await downloadModel(model, out, context, hub.url)).toBe(out)
  expect((await readdir(out)).sort()).toEqual(['README.md', 'config.json', 'model.safetensors'])
  expect((await readFile(path.join(out, 'model.safetensors'))).equals(weights)).toBe(true)
  expect(done.at(-1)).toBe(weights.length + config.length + card.length)
})

test('goes on where it stopped', async () => {
  const [hub, out] = [await serve(), await folder()]
  await writeFile(path.join(out, 'model.safetensors.partial'), weights.subarray(0, 1_000_000))
  await downloadModel(model, out, silent, hub.url)
  expect((await readFile(path.join(out, 'model.safetensors'))).equals(weights)).toBe(true)
  expect(hub.ranges.every((range) => !range.startsWith('bytes=0-'))).toBe(true)
})

test('a file with another hash is refused and removed', async () => {
  const [hub, out] = [await serve('0'.repeat(64)), await folder()]
  await expect(downloadModel(model, out, silent, hub.url)).rejects.toMatchObject({ code: 'file-malformed' })
  expect(await readdir(out)).toEqual(['README.md', 'config.json'])
})

test('an unknown model is a network error that says its name', async () => {
  const hub = await serve()
  await expect(downloadModel({ repo: 'maker/other', revision: 'main' }, await folder(), silent, hub.url)).rejects.toMatchObject({ code: 'network', message: expect.stringContaining('maker/other') as string })
})

test('a cancelled download says so and keeps what it has', async () => {
  const [hub, out] = [await serve(), await folder()]
  const abort = new AbortController()
  const context: Context = { signal: abort.signal, report: (event) => { if (event.type === 'progress' && event.item === 'model.safetensors' && event.done > 500_000) abort.abort() } }
  await expect(downloadModel(model, out, context, hub.url)).rejects.toMatchObject({ code: 'cancelled' })
  expect(await readdir(out)).toContain('model.safetensors.partial')
})
