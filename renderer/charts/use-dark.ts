/** @file Whether the page is dark now: scales of colour turn around with it. */
import { useSyncExternalStore } from 'react'

const query = (): MediaQueryList => window.matchMedia('(prefers-color-scheme: dark)')
function subscribe(changed: () => void): () => void {
  const media = query()
  media.addEventListener('change', changed)
  return () => { media.removeEventListener('change', changed) }
}
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, () => query().matches)
}
