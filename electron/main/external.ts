/** @file Links that may leave the app: https, and hosts in this list. Everything else stays closed. */
import { links } from '../contract/api.ts'

const hosts: ReadonlySet<string> = new Set(Object.values(links).map((link) => new URL(link).host))

/** True for an address the desktop's browser may be sent to. */
export function isSafeLink(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, host, username, password } = new URL(url)
  return protocol === 'https:' && hosts.has(host) && username === '' && password === ''
}
