/** @file What is open, and the way to everything else: palette, theme, help. */
import { runCommand } from '../commands/table.ts'
import { useDark } from '../charts/use-dark.ts'
import { bytes } from '../state/format.ts'
import { useApp } from '../state/store.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Spinner } from '../ui/feedback.tsx'
import { Logo } from '../ui/icon.tsx'
import { Keys } from '../ui/panel.tsx'

export function TopBar(): React.JSX.Element {
  const open = useApp((state) => state.open)
  const opening = useApp((state) => state.opening)
  const isMac = useApp((state) => state.app?.platform === 'darwin')
  const isData = useApp((state) => state.route === 'data')
  const isDark = useDark()
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface-2 px-3 py-1 max-sm:gap-x-1 max-sm:px-2">
      <span className="flex items-center gap-2 pr-1 text-accent"><Logo /><span className={`text-lg font-semibold tracking-tight text-ink-1 ${open ? 'max-sm:sr-only' : ''}`}>Halftone</span></span>
      {open && (
        <div className="flex min-w-0 items-center gap-2 border-l border-line pl-3 max-sm:flex-1">
          <span className="truncate font-medium" title={open.project.model}>{open.project.name}</span>
          <span className="hidden text-ink-3 sm:inline tnum">{open.summary.format} · {bytes(open.summary.sizeBytes)}</span>
          <IconButton icon="close" size="small" label="Close project" onClick={() => { runCommand('project.close') }} />
        </div>
      )}
      <span className={`flex flex-1 pl-2 ${opening ? 'max-sm:order-last max-sm:basis-full max-sm:pl-0' : 'max-sm:hidden'}`}>{opening && <span className="flex items-center gap-2"><Spinner label={`Reading ${opening.name}`} />{isData && <Button size="small" shortcut="Escape" onClick={() => { runCommand('data.stop') }}>Stop</Button>}</span>}</span>
      <Button look="secondary" icon="search" onClick={() => { runCommand('palette.open') }} shortcut="Control+K" className="font-normal text-ink-2">
        <span className="max-sm:sr-only">All commands</span><span className="max-sm:hidden"><Keys shortcut="Mod+K" isMac={isMac} isHidden /></span>
      </Button>
      <IconButton icon={isDark ? 'sun' : 'moon'} label={isDark ? 'Use the light theme' : 'Use the dark theme'} onClick={() => { runCommand('theme.toggle') }} />
      <IconButton icon="gear" label="Settings" onClick={() => { runCommand('settings.open') }} />
      <IconButton icon="help" label="Keyboard shortcuts and help" onClick={() => { runCommand('help.shortcuts') }} />
    </header>
  )
}
