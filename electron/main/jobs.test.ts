import { appendFile, mkdtemp, readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { AppError } from '../contract/errors.ts'
import { JobRequest, type JobState } from '../contract/job.ts'
import { withLessMemory } from '../contract/less-memory.ts'
import { jobFolders } from './job-folder.ts'
import { createJobs, type Jobs, type JobsOptions, type JobTools } from './jobs.ts'

const evaluate = JobRequest.parse({ kind: 'evaluate', input: { model: 'm', text: 't' }, subject: 'original' })
const generate = JobRequest.parse({ kind: 'generate', input: { model: 'm', prompt: 'p' }, subject: 'original' })
const about = { title: 'a job', project: null }

interface Work { tools: JobTools; finish: (value: unknown) => void; fail: (cause: unknown) => void }
interface Bench { jobs: Jobs; works: Map<string, Work>; root: string; state: (id: string) => JobState; reopen: () => Promise<Bench> }

/** A queue whose work the test does by hand; aborted work lets go as the engine does. */
async function bench(over: Partial<JobsOptions> = {}, root?: string): Promise<Bench> {
  const folder = root ?? await mkdtemp(path.join(os.tmpdir(), 'jobs-'))
  const works = new Map<string, Work>()
  const jobs = await createJobs({
    folders: jobFolders(folder), obstacle: () => Promise.resolve(null), isHeld: () => false, onJob: () => undefined, onEvent: () => undefined, onOrder: () => undefined,
    run: (job, tools) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      tools.signal.addEventListener('abort', () => { reject(new AppError('cancelled', 'Cancelled')) })
      works.set(job.id, { tools, finish: resolve, fail: reject })
      return promise
    },
    ...over,
  })
  return { jobs, works, root: folder, state: (id) => jobs.find(id).state, reopen: () => bench(over, folder) }
}
/** Patient: a busy machine takes longer than the second that is usual. */
const until: typeof vi.waitUntil = (check) => vi.waitUntil(check, { timeout: 60_000 })
const work = async (b: Bench, id: string): Promise<Work> => until(() => b.works.get(id))

test('jobs of one lane run one after the other, another lane beside them', async () => {
  const b = await bench()
  const [first, second] = [await b.jobs.start(evaluate, about), await b.jobs.start(evaluate, about)]
  const text = await b.jobs.start(generate, about)
  const running = await work(b, first.id)
  await work(b, text.id)
  expect([b.state(first.id), b.state(second.id), b.state(text.id)]).toEqual(['running', 'waiting', 'running'])
  running.finish({ perplexity: 1 })
  await work(b, second.id)
  expect([b.state(first.id), b.state(second.id)]).toEqual(['done', 'running'])
  expect(b.jobs.find(first.id).result).toEqual({ perplexity: 1 })
})

test('pausing stops the work and resuming starts it again', async () => {
  const b = await bench()
  const { id } = await b.jobs.start(evaluate, about)
  await work(b, id)
  b.works.clear()
  b.jobs.pause(id)
  expect(b.state(id)).toBe('pausing')
  await until(() => b.state(id) === 'paused')
  b.jobs.resume(id)
  ;(await work(b, id)).finish(1)
  await until(() => b.state(id) === 'done')
})

test('cancelling is answered at once and ends cancelled; a waiting job is cancelled without running', async () => {
  const b = await bench()
  const [first, second] = [await b.jobs.start(evaluate, about), await b.jobs.start(evaluate, about)]
  await work(b, first.id)
  b.jobs.cancel(second.id)
  b.jobs.cancel(first.id)
  expect([b.state(first.id), b.state(second.id)]).toEqual(['cancelling', 'cancelled'])
  await b.jobs.settled()
  expect(b.state(first.id)).toBe('cancelled')
  expect(b.works.has(second.id)).toBe(false)
})

test('the end of the engine interrupts the job; what it can do next is resume', async () => {
  const b = await bench()
  const { id } = await b.jobs.start(evaluate, about)
  ;(await work(b, id)).fail(new AppError('engine-stopped', 'The engine stopped'))
  await until(() => b.state(id) === 'interrupted')
  expect(b.jobs.find(id)).toMatchObject({ reason: 'The engine stopped', error: { code: 'engine-stopped' } })
  b.works.clear()
  b.jobs.resume(id)
  await work(b, id)
  expect(b.jobs.find(id)).toMatchObject({ state: 'running', reason: null, error: null })
})

test('a job that ran out of memory goes on with another request, and only where it stands still', async () => {
  const b = await bench()
  const { id } = await b.jobs.start(evaluate, about)
  const less = withLessMemory(evaluate)
  expect(less).toMatchObject({ input: { memoryBytes: 2 ** 28 } })
  if (less === null) return
  const running = await work(b, id)
  b.jobs.resume(id, less)
  expect(b.jobs.find(id).request).toBe(evaluate)
  running.fail(new AppError('out-of-memory', 'Memory ran out'))
  await until(() => b.state(id) === 'interrupted')
  b.works.clear()
  b.jobs.resume(id, less)
  await work(b, id)
  expect(b.jobs.find(id)).toMatchObject({ state: 'running', request: less })
})

test('memory is lessened by quarters, and not where that is of no use', () => {
  let request: JobRequest | null = evaluate
  const limits: (number | undefined)[] = []
  for (; request?.kind === 'evaluate'; request = withLessMemory(request)) limits.push(request.input.memoryBytes)
  expect(limits).toEqual([undefined, 2 ** 28, 2 ** 26, 2 ** 24])
  expect(withLessMemory(JobRequest.parse({ kind: 'measure', input: { model: '/m/net.ONNX', out: 'o' } }))).toBeNull()
  expect(withLessMemory(JobRequest.parse({ kind: 'generate', subject: 's', input: { model: 'm', prompt: 'p' } }))).toBeNull()
})

test('a failure keeps its error, and warnings make a done job done with warnings', async () => {
  const b = await bench()
  const first = await b.jobs.start(evaluate, about)
  ;(await work(b, first.id)).fail(new AppError('bad-data', 'row 3: not text', { hint: 'Remove it.' }))
  await until(() => b.state(first.id) === 'failed')
  expect(b.jobs.find(first.id).error).toEqual({ code: 'bad-data', message: 'row 3: not text', hint: 'Remove it.' })
  const second = await b.jobs.start(evaluate, about)
  const running = await work(b, second.id)
  running.tools.report({ type: 'log', level: 'warning', text: 'odd' })
  running.finish(1)
  await until(() => b.state(second.id) === 'done-with-warnings')
  expect(b.jobs.find(second.id).warnings).toEqual(['odd'])
})

test('without room a job waits with the reason and goes on by itself', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let free = false
    const b = await bench({ obstacle: () => Promise.resolve(free ? null : 'needs 3 GB, 1 GB is free') })
    const { id } = await b.jobs.start(evaluate, about)
    while (b.state(id) !== 'paused') await Promise.resolve()
    expect(b.jobs.find(id).reason).toBe('needs 3 GB, 1 GB is free')
    await vi.advanceTimersByTimeAsync(5000)
    expect(b.state(id)).toBe('paused')
    free = true
    await vi.advanceTimersByTimeAsync(5000)
    expect(b.state(id)).toBe('running')
  } finally {
    vi.useRealTimers()
  }
})

test('after a crash what ran is interrupted, what waited is paused, and the order is kept', async () => {
  const b = await bench()
  const start = async (): Promise<string> => (await b.jobs.start(evaluate, about)).id
  const [first, second, third] = [await start(), await start(), await start()] as const
  await work(b, first)
  b.jobs.shift(third, second)
  const order = [first, third, second]
  const saved = (name: string): Promise<string> => readFile(path.join(b.root, name), 'utf8').catch(() => '')
  await until(async () => (await saved(path.join(first, 'job.json'))).includes('"running"') && (await saved('queue.json')) === `${JSON.stringify(order, null, 2)}\n`)
  const after = await b.reopen()
  expect(after.jobs.list().map((job) => [job.id, job.state])).toEqual(order.map((id, place) => [id, place === 0 ? 'interrupted' : 'paused']))
})

test('events are kept, and a line cut off by a crash does not spoil them', async () => {
  const b = await bench()
  const { id } = await b.jobs.start(evaluate, about)
  const { tools } = await work(b, id)
  tools.report({ type: 'stage', stage: 'evaluate', total: 4 })
  tools.report({ type: 'progress', stage: 'evaluate', done: 1, total: 4, item: 'window 1', remainingMs: 300 })
  expect(b.jobs.find(id)).toMatchObject({ stage: 'evaluate', done: 1, total: 4, item: 'window 1', remainingMs: 300 })
  await until(async () => (await b.jobs.events(id)).length === 2)
  await appendFile(path.join(b.root, id, 'events.jsonl'), '{"type":"log","lev')
  expect((await b.jobs.events(id)).map((event) => event.type)).toEqual(['stage', 'progress'])
})

test('a running job cannot be removed, a finished one leaves nothing', async () => {
  const b = await bench()
  const { id } = await b.jobs.start(evaluate, about)
  const { finish } = await work(b, id)
  await expect(b.jobs.remove(id)).rejects.toMatchObject({ code: 'bad-request' })
  finish(1)
  await until(() => b.state(id) === 'done')
  await b.jobs.remove(id)
  expect(await b.reopen().then((again) => again.jobs.list())).toEqual([])
})

test('a held queue starts nothing until it is let go', async () => {
  let held = true
  const b = await bench({ isHeld: () => held })
  const { id } = await b.jobs.start(evaluate, about)
  expect(b.state(id)).toBe('waiting')
  held = false
  b.jobs.pump()
  await work(b, id)
})

test('a job held for want of memory starts when the user insists, once', async () => {
  const asked: boolean[] = []
  const b = await bench({ obstacle: (_job, isInsisted) => {
    asked.push(isInsisted)
    return Promise.resolve(isInsisted ? null : 'too little memory')
  } })
  const { id } = await b.jobs.start(evaluate, about)
  await until(() => b.state(id) === 'paused')
  expect(b.jobs.find(id).reason).toBe('too little memory')
  b.jobs.resume(id)
  ;(await work(b, id)).fail(new AppError('bad-data', 'x'))
  await until(() => b.state(id) === 'failed')
  expect(asked).toEqual([false, true])
})

test('a job is put before another, or last', async () => {
  const b = await bench({ isHeld: () => true })
  const start = async (): Promise<string> => (await b.jobs.start(evaluate, about)).id
  const [first, second, third] = [await start(), await start(), await start()] as const
  const order = (): string[] => b.jobs.list().map(({ id }) => id)
  b.jobs.shift(third, first)
  expect(order()).toEqual([third, first, second])
  b.jobs.shift(third, null)
  expect(order()).toEqual([first, second, third])
  b.jobs.shift(second, second)
  expect(order()).toEqual([first, second, third])
})
