/** @file One memory limit for what a run parks: hidden states, and weights that wait for their turn. What no longer fits goes to disk. */
import { freemem } from 'node:os'
import type { Park } from '../calibrate/runner.ts'
import { openPark } from './park.ts'

/** Share of the free memory that may be taken where the user set no limit, and the most of it: the file of what is above stays in the system's cache where there is room. */
const shareOfFree = 0.25
const mostBytes = 1 << 30

/** The limit where the user set none. */
export function defaultParkedBytes(): number {
  return Math.min(freemem() * shareOfFree, mostBytes)
}

export interface Parking {
  /** A place for `windows` windows, in memory while all parks together fit the limit, else in a file. */
  open(windows: number): Park
  /** Whether so many bytes more fit the limit; where they do, they count from then on. */
  readonly holds: (bytes: number) => boolean
}

/** A parking for hidden states of at most `slotBytes` a window. */
export function createParking({ slotBytes, memoryBytes = defaultParkedBytes(), folder }: { slotBytes: number; memoryBytes?: number | undefined; folder?: string }): Parking {
  let held = 0
  function holds(bytes: number): boolean {
    const fits = held + bytes <= memoryBytes
    if (fits) held += bytes
    return fits
  }
  return {
    holds,
    open(windows) {
      const wanted = windows * slotBytes
      const fits = holds(wanted)
      const park = openPark({ windows, slotBytes, memoryBytes: fits ? wanted : 0, ...(folder !== undefined && { folder }) })
      let open = true
      return {
        get: (window) => park.get(window),
        set: (window, hidden) => park.set(window, hidden),
        async dispose() {
          if (open && fits) held -= wanted
          open = false
          await park.dispose()
        },
      }
    },
  }
}
