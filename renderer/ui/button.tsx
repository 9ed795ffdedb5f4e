/** @file Buttons. A button that cannot be used says why, beside itself and to screen readers; it keeps its place in the tab order. */
import { useId } from 'react'
import { Icon, type IconName } from './icon.tsx'

const looks = {
  primary: 'bg-accent text-on-accent border-transparent hover:bg-accent-strong',
  secondary: 'bg-surface-2 text-ink-1 border-line-strong/60 hover:bg-surface-3',
  quiet: 'bg-transparent text-ink-2 border-transparent hover:bg-surface-3 hover:text-ink-1',
  pressed: 'is-chosen border-accent/60 bg-accent-soft text-accent-strong',
  danger: 'bg-surface-2 text-bad border-bad/60 hover:bg-bad-soft',
} as const

export interface ButtonProps {
  readonly children: React.ReactNode
  readonly onClick?: () => void
  readonly look?: Exclude<keyof typeof looks, 'pressed'>
  readonly icon?: IconName
  readonly size?: 'small' | 'normal'
  /** Why it cannot be used now; given, the button does nothing. */
  readonly reason?: string | null | undefined
  /** Shows the reason as text beside the button (the usual place is the step's footer). */
  readonly showReason?: boolean
  readonly shortcut?: string
  readonly isPressed?: boolean
  readonly label?: string
  readonly className?: string
  readonly id?: string
  readonly isSquare?: boolean
}

const sizes = { small: 'h-6 px-2 text-sm gap-1', normal: 'h-8 px-3 gap-1.5' } as const
const squares = { small: 'h-6 w-6', normal: 'h-8 w-8' } as const

export function Button({ children, onClick, look = 'secondary', icon, size = 'normal', reason, showReason = false, shortcut, isPressed, label, className = '', id, isSquare = false }: ButtonProps): React.JSX.Element {
  const reasonId = useId()
  const isOff = reason !== undefined && reason !== null
  return (
    <>
      <button
        type="button" id={id} onClick={isOff ? undefined : onClick} aria-disabled={isOff || undefined} aria-describedby={isOff ? reasonId : undefined} aria-keyshortcuts={shortcut}
        aria-pressed={isPressed} aria-label={label} title={isOff ? reason : label}
        className={`inline-flex shrink-0 items-center justify-center rounded-md border font-medium whitespace-nowrap transition-colors ${(isSquare ? squares : sizes)[size]} ${isOff ? 'cursor-not-allowed border-line bg-surface-3 text-ink-3' : looks[isPressed === true ? 'pressed' : look]} ${className}`}
      >
        {icon && <Icon name={icon} />}
        {children}
      </button>
      {isOff && <span id={reasonId} className={showReason ? 'text-ink-2' : 'sr-only'}>{reason}</span>}
    </>
  )
}

/** A button that shows only an icon; its label is its name. */
export function IconButton({ icon, label, ...rest }: Omit<ButtonProps, 'children' | 'label' | 'icon'> & { readonly icon: IconName; readonly label: string }): React.JSX.Element {
  return <Button {...rest} look={rest.look ?? 'quiet'} label={label} isSquare><Icon name={icon} /></Button>
}
