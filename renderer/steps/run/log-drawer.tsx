/** @file What the engine said, with a filter and a button that copies it. */
import { useState } from 'react'
import type { LogLine } from '../../state/live.ts'
import { announce, attempt } from '../../commands/actions.ts'
import { Button } from '../../ui/button.tsx'

/** Lines in the page at once. */
const mostShown = 400

export function LogDrawer({ lines }: { readonly lines: readonly LogLine[] }): React.JSX.Element {
  const [filter, setFilter] = useState('')
  const [isOpen, setIsOpen] = useState(false)
  const found = isOpen ? lines.filter((line) => line.text.toLowerCase().includes(filter.toLowerCase())) : []
  const shown = found.slice(-mostShown)
  const warnings = lines.filter((line) => line.level === 'warning').length
  const copy = (): void => {
    void attempt(async () => {
      await navigator.clipboard.writeText(found.map((line) => line.text).join('\n'))
      announce('Log copied')
    })
  }
  return (
    <details className="rounded-md border border-line bg-surface-2" onToggle={(event) => { setIsOpen(event.currentTarget.open) }}>
      <summary className="min-h-10 px-3 py-2.5 font-semibold">Log <span className="font-normal text-ink-2">{lines.length} lines{warnings > 0 && `, ${String(warnings)} warnings`}</span></summary>
      <div className="flex flex-col gap-2 border-t border-line p-3">
        <div className="flex gap-2">
          <input type="text" aria-label="Filter the log" placeholder="Filter" value={filter} onChange={(event) => { setFilter(event.target.value) }} className="h-8 flex-1 rounded-md border border-line-strong/70 bg-surface-2 px-2" />
          <Button icon="copy" onClick={copy}>Copy</Button>
        </div>
        <div tabIndex={0} role="log" aria-label="Log" className="max-h-60 overflow-auto rounded bg-surface-1 p-2 font-mono text-sm whitespace-pre-wrap">
          {found.length > shown.length && <div className="text-ink-3">{found.length - shown.length} earlier lines; Copy takes them too</div>}
          {shown.map((line, i) => <div key={i} className={line.level === 'warning' ? 'text-warn' : ''}>{line.level === 'warning' && 'warning: '}{line.text}</div>)}
          {shown.length === 0 && <span className="text-ink-3">{lines.length === 0 ? 'Nothing was said yet.' : 'No line has this.'}</span>}
        </div>
      </div>
    </details>
  )
}
