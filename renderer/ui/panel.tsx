/** @file The boxes of the page: panels with a heading, figures of numbers, rows of name and value. */

export function Panel({ title, actions, children, className = '', isFlush = false }: { readonly title?: React.ReactNode; readonly actions?: React.ReactNode; readonly children: React.ReactNode; readonly className?: string; readonly isFlush?: boolean }): React.JSX.Element {
  return (
    <section className={`flex min-w-0 flex-col rounded-md border border-line bg-surface-2 ${className}`}>
      {(title !== undefined || actions !== undefined) && (
        <header className="flex min-h-10 flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-1.5">
          {title !== undefined && <h2 className="font-semibold">{title}</h2>}
          {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={`min-h-0 flex-1 ${isFlush ? 'flex flex-col' : 'p-3'}`}>{children}</div>
    </section>
  )
}

/** One number that matters, its name below it. */
export function Figure({ value, label, note, tone = '' }: { readonly value: React.ReactNode; readonly label: React.ReactNode; readonly note?: React.ReactNode; readonly tone?: string }): React.JSX.Element {
  return (
    <div className="flex min-w-0 flex-col-reverse">
      <dt className="flex min-h-5 items-center gap-0.5 text-sm text-ink-3 sm:h-5 sm:whitespace-nowrap">{label}</dt>
      <dd className={`tnum flex min-h-6 items-center gap-x-2 text-lg font-semibold max-sm:flex-wrap sm:h-6 sm:whitespace-nowrap ${tone}`}>{value}{note !== undefined && <span className="text-sm font-normal text-ink-3">{note}</span>}</dd>
    </div>
  )
}
export function Figures({ children }: { readonly children: React.ReactNode }): React.JSX.Element {
  return <dl className="flex flex-wrap gap-x-8 gap-y-3">{children}</dl>
}

export function Facts({ rows }: { readonly rows: readonly (readonly [name: React.ReactNode, value: React.ReactNode])[] }): React.JSX.Element {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
      {rows.map(([name, value], i) => (
        <div key={i} className="contents">
          <dt className="text-ink-3">{name}</dt>
          <dd className="tnum min-w-0 text-right wrap-anywhere">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Keys as they are printed on the keyboard; hidden from screen readers where the element says its own shortcut. */
export function Keys({ shortcut, isMac, isHidden = false }: { readonly shortcut: string; readonly isMac: boolean; readonly isHidden?: boolean }): React.JSX.Element {
  const text = isMac ? shortcut.replace('Mod', '⌘').replace('Shift', '⇧').replaceAll('+', '') : shortcut.replace('Mod', 'Ctrl').replaceAll('+', ' + ')
  return <kbd aria-hidden={isHidden} className="rounded border border-line bg-surface-3 px-1.5 py-px font-sans text-xs text-ink-2 whitespace-nowrap">{text}</kbd>
}
