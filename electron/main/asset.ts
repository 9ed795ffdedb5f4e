/** @file Which file an address of the app's own scheme stands for, and what the page may do (its content security policy). */
import path from 'node:path'

export const scheme = 'app'
export const appOrigin = `${scheme}://halftone`

/** The page may load its own files and nothing else; styles come from files and the CSSOM, never from text. */
export const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ')

/** The file below `root` that `url` names, or undefined where it points elsewhere. Throws on a malformed address. */
export function resolveAsset(root: string, url: string): string | undefined {
  const { pathname, host, protocol } = new URL(url)
  if (protocol !== `${scheme}:` || host !== 'halftone') return undefined
  const relative = path.posix.normalize(`/${decodeURIComponent(pathname)}`)
  if (relative.includes('\\') || relative.includes('\0')) return undefined
  const file = path.resolve(root, `.${relative}`)
  const inside = path.relative(root, file)
  return inside === '' || inside.startsWith('..') || path.isAbsolute(inside) ? undefined : file
}
