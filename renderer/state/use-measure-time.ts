/** @file How long measuring will take with what is chosen now; asked again when a choice changes, null until it is known. */
import { useEffect, useState } from 'react'
import { call } from './call.ts'
import { useApp } from './store.ts'

/** In milliseconds. */
export function useMeasureTime(): number | null {
  const settings = useApp((state) => state.open?.project.measure)
  const target = useApp((state) => state.open?.project.draft.target)
  const data = useApp((state) => state.open?.project.data)
  const unconfirmed = useApp((state) => state.unconfirmed)
  const [time, setTime] = useState<number | null>(null)
  useEffect(() => {
    if (unconfirmed > 0) return // main does not know the choice yet
    const state = { isCurrent: true }
    void call('measure.predict').then(({ elapsedMs }) => { if (state.isCurrent) setTime(elapsedMs) }, () => undefined) // a time that cannot be told is not
    return () => { state.isCurrent = false }
  }, [settings, target, data, unconfirmed])
  return time
}
