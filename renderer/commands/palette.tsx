/** @file The palette: every command by name, with the shortcut it teaches, and why some cannot be done now. */
import { useMemo, useState } from 'react'
import { commands, type CommandFields, type CommandId } from '../../electron/contract/commands.ts'
import { useApp } from '../state/store.ts'
import { Modal } from '../ui/modal.tsx'
import { Keys } from '../ui/panel.tsx'
import { showDialog } from './actions.ts'
import { commandTable } from './table.ts'

const all = Object.entries(commands) as [CommandId, CommandFields][]
/** Every word typed begins a word of the label. */
function matches(label: string, query: string): boolean {
  const words = label.toLowerCase().split(/\W+/)
  return query.toLowerCase().split(/\s+/).every((part) => words.some((word) => word.startsWith(part)))
}

export function Palette(): React.JSX.Element {
  const isOpen = useApp((state) => state.dialog === 'palette')
  return <Modal title="All commands" isTitleHidden isOpen={isOpen} onClose={() => { showDialog(null) }}><CommandList /></Modal>
}

/** Mounted with the dialog: it begins empty each time, and costs nothing while closed. */
function CommandList(): React.JSX.Element {
  const state = useApp()
  const [query, setQuery] = useState('')
  const [index, setIndex] = useState(0)
  const found = useMemo(() => all.filter(([id, { label }]) => id !== 'palette.open' && matches(label, query.trim())), [query])
  const isMac = state.app?.platform === 'darwin'

  const choose = (id: CommandId): void => {
    if (commandTable[id].blocked(state) !== null) return
    showDialog(null)
    commandTable[id].run()
  }
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setIndex((index + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      const at = found[index]
      if (at) choose(at[0])
    }
  }
  return (
    <>
      <input
        type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-label="Find a command" aria-activedescendant={found.length > 0 ? `palette-${String(index)}` : undefined} autoFocus placeholder="What do you want to do?"
        className="h-12 w-full border-b border-line bg-transparent px-4 text-lg outline-none placeholder:text-ink-3" value={query} onChange={(event) => { setQuery(event.target.value); setIndex(0) }} onKeyDown={onKeyDown}
      />
      <ul id="palette-list" role="listbox" aria-label="Commands" className="p-1.5">
        {found.map(([id, { label, shortcut }], i) => {
          const reason = commandTable[id].blocked(state)
          return (
            <li
              key={id} id={`palette-${String(i)}`} role="option" aria-selected={i === index} aria-disabled={reason !== null} onClick={() => { choose(id) }} onMouseMove={() => { setIndex(i) }}
              className={`flex min-h-9 items-center justify-between gap-4 rounded px-2.5 py-1 ${i === index ? 'bg-accent-soft' : ''}`}
            >
              <span className={reason === null ? '' : 'text-ink-3'}>{label}{reason !== null && <span className="ml-2 text-sm">{reason}</span>}</span>
              {shortcut !== undefined && <Keys shortcut={shortcut} isMac={isMac} />}
            </li>
          )
        })}
      </ul>
      {found.length === 0 && <p role="status" className="px-4 pb-4 text-ink-2">No command has these words.</p>}
    </>
  )
}
