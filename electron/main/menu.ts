/** @file The application menu, made from the command table; the usual editing and window roles are the platform's. */
import { Menu, type MenuItemConstructorOptions } from 'electron'
import { commands, type CommandFields, type CommandId } from '../contract/commands.ts'

/** Shortcuts the page handles itself, as the plan's undo must not take over a text field's. */
const inPage: ReadonlySet<string> = new Set(['data.stop', 'plan.undo', 'plan.redo', 'region.next', 'difference.next', 'difference.previous', 'step.primary'])

export function menuTemplate(platform: NodeJS.Platform, send: (command: CommandId) => void): MenuItemConstructorOptions[] {
  const entries = Object.entries(commands) as [CommandId, CommandFields][]
  const items = (menu: CommandFields['menu']): MenuItemConstructorOptions[] =>
    entries.filter(([, command]) => command.menu === menu).map(([id, { label, shortcut }]) => ({
      id, label, click: () => { send(id) },
      ...(shortcut !== undefined && { accelerator: shortcut.replace('Mod', 'CmdOrCtrl'), registerAccelerator: !inPage.has(id) }),
    }))
  const mac: MenuItemConstructorOptions[] = platform === 'darwin' ? [{ role: 'appMenu' }] : []
  return [
    ...mac,
    { label: 'File', submenu: [...items('File'), { type: 'separator' }, { role: platform === 'darwin' ? 'close' : 'quit' }] },
    { label: 'Edit', submenu: [...items('Edit'), { type: 'separator' }, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }] },
    { label: 'View', submenu: [...items('View'), { type: 'separator' }, { role: 'resetZoom' }, { role: 'zoomIn' }, { role: 'zoomOut' }, { role: 'togglefullscreen' }] },
    { label: 'Go', submenu: items('Go') },
    { label: 'Run', submenu: items('Run') },
    { role: 'windowMenu' },
    { label: 'Help', role: 'help', submenu: items('Help') },
  ]
}

export function setMenu(send: (command: CommandId) => void): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform, send)))
}
