/** @file Form fields: label above, the unit beside, arrow keys on numbers (Shift for ten steps). */
import { useId, useState } from 'react'

const box = 'h-8 rounded-md border border-line-strong/70 bg-surface-2 px-2 text-ink-1 placeholder:text-ink-3'

export function Labelled({ label, hint, children }: { readonly label: React.ReactNode; readonly hint?: React.ReactNode; readonly children: (id: string) => React.ReactNode }): React.JSX.Element {
  const id = useId()
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium text-ink-2">{label}</label>
      {children(id)}
      {hint !== undefined && <p className="text-sm text-ink-3">{hint}</p>}
    </div>
  )
}

export interface NumberFieldProps {
  readonly label: React.ReactNode
  readonly value: number
  readonly onChange: (value: number) => void
  readonly min: number
  readonly max: number
  readonly step: number
  readonly unit?: string
  readonly decimals?: number
  readonly hint?: React.ReactNode
}

/** The number is taken over on Enter, on leaving the field, and with each arrow key; text that is no number is put back. */
export function NumberField({ label, value, onChange, min, max, step, unit, decimals = 0, hint }: NumberFieldProps): React.JSX.Element {
  const [text, setText] = useState<string | null>(null)
  const clamp = (wanted: number): number => Math.min(max, Math.max(min, wanted))
  const take = (): void => {
    const wanted = Number((text ?? '').replace(',', '.'))
    if (text !== null && text.trim() !== '' && Number.isFinite(wanted)) onChange(clamp(wanted))
    setText(null)
  }
  return (
    <Labelled label={label} hint={hint}>
      {(id) => (
        <span className="flex items-center gap-2">
          <input
            id={id} type="text" inputMode="decimal" role="spinbutton" aria-valuenow={value} aria-valuemin={min} aria-valuemax={max} className={`${box} w-24 text-right tnum`}
            value={text ?? value.toFixed(decimals)} onChange={(event) => { setText(event.target.value) }} onBlur={take}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) take()
              if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return
              event.preventDefault()
              setText(null)
              onChange(clamp(value + step * (event.shiftKey ? 10 : 1) * (event.key === 'ArrowUp' ? 1 : -1)))
            }}
          />
          {unit !== undefined && <span className="text-ink-3">{unit}</span>}
        </span>
      )}
    </Labelled>
  )
}

export function TextField({ label, value, onChange, placeholder, hint, onSubmit, isMono = false }: {
  readonly label: React.ReactNode; readonly value: string; readonly onChange: (value: string) => void; readonly placeholder?: string; readonly hint?: React.ReactNode; readonly onSubmit?: () => void; readonly isMono?: boolean
}): React.JSX.Element {
  return (
    <Labelled label={label} hint={hint}>
      {(id) => (
        <input
          id={id} type="text" spellCheck={false} className={`${box} w-full ${isMono ? 'font-mono' : ''}`} value={value} placeholder={placeholder} onChange={(event) => { onChange(event.target.value) }}
          onKeyDown={(event) => { if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) onSubmit?.() }}
        />
      )}
    </Labelled>
  )
}

/** A text that stands for something else: taken over on Enter and on leaving the field where it can be read or is empty, else put back. */
export function ParsedField<T>({ label, value, placeholder, parse, onChange }: {
  readonly label: React.ReactNode; readonly value: string; readonly placeholder?: string; readonly parse: (text: string) => T | undefined; readonly onChange: (value: T | undefined) => void
}): React.JSX.Element {
  const [text, setText] = useState<string | null>(null)
  const take = (): void => {
    const found = parse(text ?? value)
    if (text !== null && (found !== undefined || text.trim() === '')) onChange(found)
    setText(null)
  }
  return (
    <Labelled label={label}>
      {(id) => (
        <input
          id={id} type="text" spellCheck={false} className={`${box} w-full tnum`} value={text ?? value} placeholder={placeholder} onChange={(event) => { setText(event.target.value) }} onBlur={take}
          onKeyDown={(event) => { if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) take() }}
        />
      )}
    </Labelled>
  )
}

export interface Choice<T extends string> { readonly value: T; readonly label: string; readonly note?: string }

/** The platform's own list: accessible everywhere, and nothing to style into the page. */
export function Select<T extends string>({ label, value, choices, onChange, hint, isLabelHidden = false, className = '' }: {
  readonly label: string; readonly value: T; readonly choices: readonly Choice<T>[]; readonly onChange: (value: T) => void; readonly hint?: React.ReactNode; readonly isLabelHidden?: boolean; readonly className?: string
}): React.JSX.Element {
  const list = (id?: string): React.JSX.Element => (
    <select
      id={id} aria-label={isLabelHidden ? label : undefined} className={`${box} max-w-full pr-7 ${className}`} value={value}
      onChange={(event) => { const found = choices.find((choice) => choice.value === event.target.value); if (found) onChange(found.value) }}
    >
      {choices.map((choice) => <option key={choice.value} value={choice.value}>{choice.label}</option>)}
    </select>
  )
  return isLabelHidden ? list() : <Labelled label={label} hint={hint}>{list}</Labelled>
}

/** A few choices side by side: radio buttons that look like one control. */
export function Segmented<T extends string>({ label, value, choices, onChange, isLabelHidden = false, size = 'normal' }: {
  readonly label: string; readonly value: T; readonly choices: readonly Choice<T>[]; readonly onChange: (value: T) => void; readonly isLabelHidden?: boolean; readonly size?: 'small' | 'normal'
}): React.JSX.Element {
  const name = useId()
  return (
    <fieldset className="flex flex-col gap-1">
      <legend className={isLabelHidden ? 'sr-only' : 'mb-1 text-sm font-medium text-ink-2'}>{label}</legend>
      <div className="inline-flex w-fit max-w-full flex-wrap rounded-md border border-line-strong/60 bg-surface-3 p-px">
        {choices.map((choice) => (
          <label
            key={choice.value}
            className={`relative flex items-center rounded-[5px] px-2.5 font-medium whitespace-nowrap has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent ${size === 'small' ? 'h-6 text-sm' : 'h-7.5'} ${choice.value === value ? 'is-chosen bg-surface-2 text-ink-1 shadow-sm ring-1 ring-line-strong/60' : 'text-ink-2 hover:text-ink-1'}`}
          >
            <input type="radio" name={name} className="absolute inset-0 opacity-0" checked={choice.value === value} onChange={() => { onChange(choice.value) }} />
            {choice.label}
          </label>
        ))}
      </div>
    </fieldset>
  )
}

export function Switch({ label, isOn, onChange, hint }: { readonly label: React.ReactNode; readonly isOn: boolean; readonly onChange: (isOn: boolean) => void; readonly hint?: React.ReactNode }): React.JSX.Element {
  const hintId = useId()
  return (
    <label className="flex min-h-6 items-start gap-2.5">
      <input type="checkbox" role="switch" checked={isOn} aria-describedby={hint === undefined ? undefined : hintId} onChange={(event) => { onChange(event.target.checked) }} className="peer sr-only" />
      <span aria-hidden="true" className="keeps-colour relative mt-px h-4.5 w-8 shrink-0 rounded-full border border-line-strong bg-surface-3 transition-colors after:absolute after:top-0.5 after:left-0.5 after:h-3 after:w-3 after:rounded-full after:bg-ink-2 after:transition-transform peer-checked:border-accent peer-checked:bg-accent peer-checked:after:translate-x-3.5 peer-checked:after:bg-on-accent peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent" />
      <span className="flex flex-col">
        <span>{label}</span>
        {hint !== undefined && <span id={hintId} className="text-sm text-ink-3">{hint}</span>}
      </span>
    </label>
  )
}
