/** @file Keeps the plan solved: each change of the draft or the map asks main once; an answer that comes late is dropped. */
import { useEffect } from 'react'
import { call, fieldsOf } from '../../state/call.ts'
import { useApp } from '../../state/store.ts'

/** A dragged slider changes many times a second; the newest target counts. */
const settleMs = 60

export function useSolvedPlan(): void {
  const draft = useApp((state) => state.open?.project.draft)
  const sensitivity = useApp((state) => state.open?.sensitivity)
  useEffect(() => {
    if (!sensitivity) useApp.setState({ plan: null, planError: null, isSolving: false }) // what is on the screen was made from another map
    if (!draft || !sensitivity) return
    const state = { isCurrent: true }
    const solve = async (): Promise<void> => {
      useApp.setState({ isSolving: true })
      try {
        const plan = await call('plan.solve', draft)
        if (!state.isCurrent) return
        const before = new Map(useApp.getState().plan?.recipe.choice.map((one) => [one.name, one.option]))
        const changed = plan.recipe.choice.filter((one) => before.size > 0 && before.get(one.name) !== one.option).map((one) => one.name)
        useApp.setState({ plan, planError: null, changed, isSolving: false })
      } catch (cause) {
        if (state.isCurrent) useApp.setState({ planError: fieldsOf(cause), isSolving: false })
      }
    }
    const timer = setTimeout(() => { void solve() }, settleMs)
    return () => {
      state.isCurrent = false
      clearTimeout(timer)
    }
  }, [draft, sensitivity])
}
