/** @file F6: focus goes from one region of the window to the next. */

const order = ['rail', 'main', 'details', 'status']

export function cycleRegion(): void {
  const regions = order.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((region) => region !== null)
  const now = regions.findLastIndex((region) => region.contains(document.activeElement)) // details lie inside main
  const next = regions.at((now + 1) % Math.max(1, regions.length))
  const target = next?.querySelector<HTMLElement>('[aria-current="step"], h1, a, button, [tabindex="0"]') ?? next
  target?.focus()
}
