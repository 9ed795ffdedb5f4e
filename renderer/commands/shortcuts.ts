/** @file From a key press to a command: the one place where shortcuts are heard. */
import { commands, type CommandFields, type CommandId } from '../../electron/contract/commands.ts'

export interface Press { readonly key: string; readonly ctrlKey: boolean; readonly metaKey: boolean; readonly shiftKey: boolean; readonly altKey: boolean }

/** Text fields keep these keys for themselves. */
const editing: ReadonlySet<CommandId> = new Set(['plan.undo', 'plan.redo'])

/** The command of a key press, or undefined. `Mod` is Cmd on macOS and Ctrl elsewhere. */
export function commandOf(press: Press, isMac: boolean, isEditing: boolean): CommandId | undefined {
  if (press.altKey) return undefined
  const hasMod = isMac ? press.metaKey : press.ctrlKey
  const hasOther = isMac ? press.ctrlKey : press.metaKey
  const pressed = [...(hasMod ? ['Mod'] : []), ...(press.shiftKey ? ['Shift'] : []), press.key.length === 1 ? press.key.toUpperCase() : press.key].join('+')
  const found = (Object.entries(commands) as [CommandId, CommandFields][]).find(([, command]) => command.shortcut === pressed)?.[0]
  return hasOther || (isEditing && found !== undefined && editing.has(found)) ? undefined : found
}
