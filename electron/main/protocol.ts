/** @file The `app://` scheme: serves the built page with its content security policy. */
import { net, protocol } from 'electron'
import { pathToFileURL } from 'node:url'
import { appOrigin, contentSecurityPolicy, resolveAsset, scheme } from './asset.ts'

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } }])
}

/** Serves the files below `root` as `app://halftone/…`. */
export function servePage(root: string): void {
  protocol.handle(scheme, async (request) => {
    const refuse = (status: number): Response => new Response(null, { status, headers: { 'content-security-policy': contentSecurityPolicy } })
    let file: string | undefined
    try {
      file = resolveAsset(root, request.url)
    } catch {
      return refuse(400)
    }
    if (file === undefined) return refuse(403)
    try {
      const { body, headers } = await net.fetch(pathToFileURL(file).href)
      return new Response(body, {
        headers: {
          'content-type': headers.get('content-type') ?? 'application/octet-stream', 'content-security-policy': contentSecurityPolicy,
          'x-content-type-options': 'nosniff', 'cross-origin-opener-policy': 'same-origin',
        },
      })
    } catch {
      return refuse(404)
    }
  })
}

export const pageAddress = `${appOrigin}/index.html`
