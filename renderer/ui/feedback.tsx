/** @file What the app says back: progress, banners, badges, empty states. One grammar everywhere. */
import type { AppErrorFields } from '../../electron/contract/errors.ts'
import { Button } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

/** `share` null: how far is not known. */
export function Progress({ share, label }: { readonly share: number | null; readonly label: string }): React.JSX.Element {
  return (
    <div role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share === null ? undefined : Math.round(share * 100)} className="h-2 w-full overflow-hidden rounded-full bg-surface-3 ring-1 ring-line ring-inset">
      <div className={`h-full rounded-full bg-accent transition-[width] ${share === null ? 'w-1/3 animate-pulse' : ''}`} style={share === null ? undefined : { width: `${String(Math.max(1, share * 100))}%` }} />
    </div>
  )
}

const tones = {
  info: { box: 'border-line bg-surface-2', ink: 'text-accent', icon: 'info' },
  good: { box: 'border-good/40 bg-good-soft', ink: 'text-good', icon: 'check' },
  warn: { box: 'border-warn/40 bg-warn-soft', ink: 'text-warn', icon: 'warn' },
  bad: { box: 'border-bad/40 bg-bad-soft', ink: 'text-bad', icon: 'warn' },
} as const satisfies Record<string, { box: string; ink: string; icon: IconName }>
export type Tone = keyof typeof tones

/** A message in its place, with what to do about it. Bad ones are read out at once. */
export function Banner({ tone, title, children, actions }: { readonly tone: Tone; readonly title: React.ReactNode; readonly children?: React.ReactNode; readonly actions?: React.ReactNode }): React.JSX.Element {
  const { box, ink, icon } = tones[tone]
  return (
    <div role={tone === 'bad' ? 'alert' : 'status'} className={`flex items-start gap-3 rounded-md border px-3 py-2.5 ${box}`}>
      <Icon name={icon} className={`mt-0.5 ${ink}`} />
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="font-medium wrap-anywhere">{title}</p>
        {hasContent(children) && <div className="text-ink-2 wrap-anywhere">{children}</div>}
        {actions !== undefined && <div className="mt-1 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  )
}

/** An error of the user's world: what happened, what to do, and the details for whoever wants them. */
export function ErrorBanner({ error, safe, actions, onDismiss }: { readonly error: AppErrorFields | { code: string; message: string; hint?: string | undefined; details?: unknown }; readonly safe?: string; readonly actions?: React.ReactNode; readonly onDismiss?: () => void }): React.JSX.Element {
  const details = JSON.stringify({ code: error.code, message: error.message, details: error.details }, null, 2)
  return (
    <Banner
      tone="bad" title={error.message}
      actions={<>
        {actions}
        <Button size="small" look="quiet" icon="copy" onClick={() => { void navigator.clipboard.writeText(details) }}>Copy details</Button>
        {onDismiss && <Button size="small" look="quiet" onClick={onDismiss}>Dismiss</Button>}
      </>}
    >
      {error.hint !== undefined && <p>{error.hint}</p>}
      {safe !== undefined && <p>{safe}</p>}
    </Banner>
  )
}

const hasContent = (children: React.ReactNode): boolean => children !== undefined && children !== null && children !== false && children !== '' && !(Array.isArray(children) && children.every((one) => !hasContent(one as React.ReactNode)))

const badgeTones = {
  neutral: 'bg-surface-3 text-ink-2 ring-line', good: 'bg-good-soft text-good ring-good/30', warn: 'bg-warn-soft text-warn ring-warn/30', bad: 'bg-bad-soft text-bad ring-bad/30', accent: 'bg-accent-soft text-accent-strong ring-accent/30',
} as const
export function Badge({ tone = 'neutral', icon, children }: { readonly tone?: keyof typeof badgeTones; readonly icon?: IconName; readonly children: React.ReactNode }): React.JSX.Element {
  return <span className={`inline-flex h-5 items-center gap-1 rounded-full px-2 text-sm font-medium whitespace-nowrap ring-1 ring-inset ${badgeTones[tone]}`}>{icon && <Icon name={icon} size={12} />}{children}</span>
}

export function Empty({ icon, title, children, actions }: { readonly icon: IconName; readonly title: string; readonly children?: React.ReactNode; readonly actions?: React.ReactNode }): React.JSX.Element {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-8 text-center">
      <span className="text-ink-3"><Icon name={icon} size={28} /></span>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children !== undefined && <div className="max-w-prose text-ink-2">{children}</div>}
      {actions !== undefined && <div className="flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  )
}

export function Spinner({ label }: { readonly label: string }): React.JSX.Element {
  return <span role="status" className="inline-flex items-center gap-2 text-ink-2"><span aria-hidden="true" className="h-3.5 w-3.5 animate-spin rounded-full border-2 border-line-strong border-t-accent" />{label}</span>
}
