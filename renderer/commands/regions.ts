/** @file Focus goes from one region of the window to the next (F6), and from one marked difference to the next (F7). */

const order = ['rail', 'main', 'details', 'status']

export function cycleRegion(): void {
  const regions = order.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((region) => region !== null)
  const now = regions.findLastIndex((region) => region.contains(document.activeElement)) // details lie inside main
  const next = regions.at((now + 1) % Math.max(1, regions.length))
  const target = next?.querySelector<HTMLElement>('[aria-current="step"], h1, a, button, [tabindex="0"]') ?? next
  target?.focus()
}

/** Around at the ends; nothing where no text differs. */
export function cycleDifference(by: 1 | -1): void {
  const marks = [...document.querySelectorAll<HTMLElement>('[data-region="main"] mark')]
  const now = marks.findIndex((mark) => mark === document.activeElement)
  marks.at(now < 0 && by < 0 ? -1 : (now + by) % Math.max(1, marks.length))?.focus()
}
