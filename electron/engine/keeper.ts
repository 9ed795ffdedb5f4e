/**
 * @file Things that are slow to open, kept open between calls: at most so many, each for as long as it is used and a while
 * after. What is in use is never closed; a value that failed to open is not kept.
 */

export interface Keeper<T> {
  /** Runs `work` with the value of `key`, opened by `open` unless it is kept. */
  use: <R>(key: string, open: () => Promise<T>, work: (value: T) => Promise<R>) => Promise<R>
  /** Closes what is not in use now, the rest when its use ends. */
  close: () => Promise<void>
}

export interface KeeperOptions<T> {
  /** Values kept beside those in use. */
  readonly most: number
  /** Time after the last use at which a value is closed, in milliseconds. */
  readonly idleMs: number
  readonly close: (value: T) => Promise<void>
}

interface Entry<T> {
  readonly value: Promise<T>
  users: number
  timer: ReturnType<typeof setTimeout> | undefined
}

export function createKeeper<T>({ most, idleMs, close }: KeeperOptions<T>): Keeper<T> {
  const entries = new Map<string, Entry<T>>() // least recently used first

  async function drop(key: string, entry: Entry<T>): Promise<void> {
    clearTimeout(entry.timer)
    if (entries.get(key) === entry) entries.delete(key)
    await close(await entry.value)
  }
  async function settle(key: string, entry: Entry<T>): Promise<void> {
    if (entries.get(key) !== entry) return drop(key, entry) // closed, or failed, while it was used
    entry.timer = setTimeout(() => { void drop(key, entry) }, idleMs)
    entry.timer.unref()
    const idle = [...entries].filter(([, { users }]) => users === 0)
    for (const [name, old] of idle.slice(0, Math.max(0, idle.length - most))) await drop(name, old)
  }

  return {
    async use(key, open, work) {
      const entry = entries.get(key) ?? { value: open(), users: 0, timer: undefined }
      clearTimeout(entry.timer)
      entry.users++
      entries.delete(key)
      entries.set(key, entry)
      let value: T
      try {
        value = await entry.value
      } catch (cause) {
        if (entries.get(key) === entry) entries.delete(key)
        throw cause
      }
      try {
        return await work(value)
      } finally {
        if (--entry.users === 0) await settle(key, entry)
      }
    },
    async close() {
      const idle = [...entries].filter(([, { users }]) => users === 0)
      entries.clear() // those in use are closed by their last user
      for (const [key, entry] of idle) await drop(key, entry)
    },
  }
}
