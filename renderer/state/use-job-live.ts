/** @file What a job has said: from its log once, then live. */
import { useEffect } from 'react'
import { call } from './call.ts'
import { emptyLive, foldEvents, type Live } from './live.ts'
import { useApp } from './store.ts'

/** Nothing where there is no job. */
export function useJobLive(id: string | undefined): Live {
  const live = useApp((state) => (id === undefined ? undefined : state.live[id]))
  useEffect(() => {
    if (id === undefined || useApp.getState().live[id]) return
    void call('job.events', { id }).then((events) => {
      useApp.setState((state) => (state.live[id] ? {} : { live: { ...state.live, [id]: foldEvents(emptyLive, events) } }))
    }, () => undefined) // a job without a log shows none
  }, [id])
  return live ?? emptyLive
}
