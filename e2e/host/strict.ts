/** @file What keeps the stand-in honest: anything it does not have throws by name instead of being quietly undefined. */
import { EventEmitter } from 'node:events'

const quiet = new Set<PropertyKey>(['then', 'toJSON', '__esModule', 'domain'])

/** An object whose missing properties throw an error that names them. */
export function strict<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key, receiver): unknown {
      if (!(key in object) && typeof key === 'string' && !quiet.has(key)) throw new Error(`the stand-in for Electron has no ${name}.${key}`)
      return Reflect.get(object, key, receiver)
    },
  })
}

/** A strict base class: its prototype chain, not its instances, ends in the proxy. */
export function emitter(name: string): new () => EventEmitter {
  const Base = class extends EventEmitter {}
  Object.setPrototypeOf(Base.prototype, strict(name, EventEmitter.prototype))
  return Base
}

/** An event object that can be prevented. */
export function cancelable(): { defaultPrevented: boolean; preventDefault(): void } {
  return { defaultPrevented: false, preventDefault() { this.defaultPrevented = true } }
}

/** Methods of the desktop that a test answers by replacing them, as it would in Electron. */
export function unscripted<T extends string>(name: string, methods: readonly T[]): Record<T, (...args: unknown[]) => unknown> {
  const refuse = (method: T) => (): never => { throw new Error(`${name}.${method} was called, and the test gave no answer for it`) }
  const target: Partial<Record<T, (...args: unknown[]) => unknown>> = {}
  for (const method of methods) target[method] = refuse(method)
  return strict(name, target as Record<T, (...args: unknown[]) => unknown>)
}

/** The items of a value that may be an array. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? Array.from<unknown>(value) : []
}

/** A string or a number as text; anything else is empty. */
export function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** The fields of a value that should be an object; throws where it is not. */
export function fields(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object, found ${String(value)}`)
  return { ...value }
}
