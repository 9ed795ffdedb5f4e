/** @file A budget nothing fits: what the smallest possible is, and one press to take it or to let go of what holds it up. */
import type { AppErrorFields } from '../../../electron/contract/errors.ts'
import { setDraft } from '../../commands/actions.ts'
import { bytes } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorBanner } from '../../ui/feedback.tsx'
import { budgetWords } from './budget.ts'

/** The file holds the budget it was made for: another number may move its alignment by a few bytes. */
const room = 64
const nextKilobyte = (smallest: number): number => Math.ceil((smallest + room) / 1000) * 1000

export function Impossible({ error }: { readonly error: AppErrorFields }): React.JSX.Element {
  const pins = useApp((state) => Object.keys(state.open?.project.draft.pins ?? {}).length)
  const budget = useApp((state) => state.open?.project.draft.budget)
  const smallest = error.details?.smallestBytes
  const isSmallest = typeof smallest === 'number' && budget !== undefined && !Array.isArray(error.details?.limits)
  const said = isSmallest
    ? { ...error, message: `Nothing fits ${budgetWords(budget)}: the smallest possible file is ${bytes(smallest)}.`, hint: pins > 0 ? 'Pinned layers may hold it up.' : 'Every layer is at its smallest format then.' }
    : error
  return (
    <ErrorBanner
      error={said}
      actions={<>
        {typeof smallest === 'number' && <Button size="small" look="primary" onClick={() => { setDraft({ budget: { kind: 'bytes', value: nextKilobyte(smallest) } }) }}>Use {bytes(smallest)}</Button>}
        {pins > 0 && <Button size="small" icon="unlock" onClick={() => { setDraft({ pins: {} }) }}>Unpin {pins === 1 ? '1 layer' : `${String(pins)} layers`}</Button>}
      </>}
    />
  )
}
