/**
 * @file Synchronous calls between a page's two worlds. DOM events are the only thing both see, are dispatched at once, and
 * Chromium clones their details across; functions do not clone, so they travel as numbers.
 * Runs inside pages through its source text: it must stay self-contained.
 */

export type Callable = (...args: unknown[]) => unknown
export interface Bridge {
  /** Calls what the other world holds under this number. */
  call: (id: number, args: unknown[]) => unknown
  /** Keeps a function for the other world to call; numbers count from 1. */
  hold: (fn: Callable) => number
}

export function bridge(token: string, here: string, there: string): Bridge {
  const held = new Map<number, Callable>()
  const tag = `${token}#`
  interface Answer { value?: unknown; error?: unknown }
  let reply: Answer | undefined

  const hold = (fn: Callable): number => {
    held.set(held.size + 1, fn)
    return held.size
  }
  const isCallable = (value: unknown): value is Callable => typeof value === 'function'
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && [Object.prototype, null].includes(Reflect.getPrototypeOf(value))
  const each = (value: Record<string, unknown>, change: (item: unknown) => unknown): Record<string, unknown> =>
    Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]))

  function pack(value: unknown): unknown {
    if (isCallable(value)) return { [tag]: 'function', id: hold(value) }
    if (value instanceof Promise) return { [tag]: 'promise', id: hold((settle, fail) => { if (isCallable(settle) && isCallable(fail)) value.then(settle, fail) }) }
    if (Array.isArray(value)) return value.map(pack)
    return isPlain(value) ? each(value, pack) : value
  }
  function unpack(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unpack)
    if (!isPlain(value)) return value
    const id = Number(value.id)
    if (value[tag] === 'function') return (...args: unknown[]) => call(id, args)
    if (value[tag] === 'promise') return new Promise((resolve, reject) => { call(id, [resolve, reject]) })
    return each(value, unpack)
  }
  function call(id: number, args: unknown[]): unknown {
    reply = undefined
    window.dispatchEvent(new CustomEvent(token + there, { detail: { id, args: pack(args) } }))
    const { value, error }: Answer = reply ?? { error: new Error('the other world did not answer') }
    if (error instanceof Error) throw error
    if (error !== undefined) throw new Error('a call to the other world failed', { cause: error })
    return unpack(value)
  }
  window.addEventListener(token + here, (event) => {
    if (!(event instanceof CustomEvent) || !isPlain(event.detail)) return
    const { id, args, answer } = event.detail
    if (isPlain(answer)) {
      reply = answer
      return
    }
    let result: Answer
    try {
      const given: unknown[] = Array.isArray(args) ? args.map(unpack) : []
      result = { value: pack(held.get(Number(id))?.(...given)) }
    } catch (error) {
      result = { error }
    }
    window.dispatchEvent(new CustomEvent(token + there, { detail: { answer: result } }))
  })
  return { call, hold }
}
