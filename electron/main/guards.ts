/**
 * @file What no page may do: open windows, go elsewhere, attach webviews, ask for permissions. Set on every web contents as it
 * is made, so that no window can miss it.
 */
import type { App, Session, WebContents } from 'electron'

/** The one thing a page may ask for: writing to the clipboard ("Copy"). */
const allowedPermissions: readonly string[] = ['clipboard-sanitized-write']
export const isAllowed = (permission: string): boolean => allowedPermissions.includes(permission)

type Contents = Pick<WebContents, 'setWindowOpenHandler' | 'on'>

/** `openLink` decides what happens with a link that would have opened a window. */
export function guardContents(contents: Contents, openLink: (url: string) => void): void {
  contents.setWindowOpenHandler(({ url }) => {
    openLink(url)
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event) => { event.preventDefault() })
  contents.on('will-attach-webview', (event) => { event.preventDefault() })
}

export function guardAll(app: App, openLink: (url: string) => void): void {
  app.on('web-contents-created', (_event, contents) => { guardContents(contents, openLink) })
}

/** Needs the app to be ready. */
export function guardPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => { answer(isAllowed(permission)) })
  session.setPermissionCheckHandler((_contents, permission) => isAllowed(permission))
}
