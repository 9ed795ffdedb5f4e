/** @file The icons: one table of 16 × 16 strokes, coloured by the text around them. Always beside a word or under a label. */

const paths = {
  check: 'M3 8.5l3.2 3.2L13 5', dot: 'M8 5.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z', ring: 'M8 4a4 4 0 100 8 4 4 0 000-8z', warn: 'M8 2.5l6 10.5H2zM8 6.5v3M8 11.3v.2',
  clock: 'M8 2.5a5.5 5.5 0 100 11 5.5 5.5 0 000-11zM8 5v3.2l2 1.3', play: 'M5 3.5v9l7-4.5z', pause: 'M5.5 3.5v9M10.5 3.5v9', stop: 'M4.5 4.5h7v7h-7z', next: 'M6 3.5L10.5 8 6 12.5', back: 'M10 3.5L5.5 8 10 12.5',
  up: 'M3.5 10L8 5.5l4.5 4.5', down: 'M3.5 6L8 10.5 12.5 6', search: 'M7 2.8a4.2 4.2 0 100 8.4 4.2 4.2 0 000-8.4zM10.2 10.2l3.3 3.3', sun: 'M8 5.2a2.8 2.8 0 100 5.6 2.8 2.8 0 000-5.6zM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
  moon: 'M13 9.6A5.5 5.5 0 016.4 3 5.5 5.5 0 1013 9.6z', help: 'M8 2.2a5.8 5.8 0 100 11.6A5.8 5.8 0 008 2.2zM6.3 6.4a1.8 1.8 0 113 1.5c-.8.5-1.3.8-1.3 1.7M8 11.5v.2', folder: 'M2.2 4.5h4l1.4 1.6h6.2v6.4H2.2z', file: 'M4 2.2h5l3 3v8.6H4zM9 2.2v3h3',
  copy: 'M5.5 5.5h7v7h-7zM3.5 10.5v-7h7', download: 'M8 2.5v7.2M5 7l3 3 3-3M3 13h10', trash: 'M3 4.5h10M6.3 4.5V3h3.4v1.5M4.5 4.5l.6 8.7h5.8l.6-8.7', undo: 'M6 3.5L3 6.5l3 3M3 6.5h6a3.5 3.5 0 010 7H7', redo: 'M10 3.5l3 3-3 3M13 6.5H7a3.5 3.5 0 000 7h2',
  terminal: 'M2.5 3.5h11v9h-11zM5 6.5L6.8 8 5 9.5M8.5 10h2.5', plus: 'M8 3.5v9M3.5 8h9', minus: 'M3.5 8h9', close: 'M4 4l8 8M12 4l-8 8', info: 'M8 2.2a5.8 5.8 0 100 11.6A5.8 5.8 0 008 2.2zM8 7.3v3.6M8 5v.2', lock: 'M4 7.5h8v5.7H4zM5.7 7.5V5.2a2.3 2.3 0 014.6 0v2.3',
  unlock: 'M4 7.5h8v5.7H4zM5.7 7.5V5.2a2.3 2.3 0 014.4-.9', table: 'M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6.5 3.5v9', chart: 'M3 2.5v10.5h10.5M5.5 10.5V8M8.5 10.5V5M11.5 10.5V7', gear: 'M2.5 5h6M12 5h1.5M2.5 11H4M7.5 11h6M10.2 3.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6zM5.8 9.2a1.8 1.8 0 100 3.6 1.8 1.8 0 000-3.6z',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.2M2.5 8h.2M2.5 12h.2', refresh: 'M13 8a5 5 0 11-1.5-3.5M13 2.5v3h-3', panel: 'M2.5 3.5h11v9h-11zM10 3.5v9', hash: 'M6.2 2.5l-1.2 11M11 2.5l-1.2 11M3 6h10.5M2.5 10H13',
} as const
export type IconName = keyof typeof paths

export function Icon({ name, size = 16, className = '' }: { readonly name: IconName; readonly size?: number; readonly className?: string }): React.JSX.Element {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" className={`shrink-0 ${className}`}>
      <path d={paths[name]} />
    </svg>
  )
}

/** The name of the app as a picture: a gradient made of nine dots. */
export function Logo({ size = 20 }: { readonly size?: number }): React.JSX.Element {
  const radii = [2.6, 2.1, 1.5, 2.1, 1.5, 1, 1.5, 1, 0.6]
  return (
    <svg width={size} height={size} viewBox="0 0 18 18" aria-hidden="true" className="shrink-0">
      {radii.map((radius, i) => <circle key={i} cx={3 + (i % 3) * 6} cy={3 + Math.floor(i / 3) * 6} r={radius} fill="currentColor" />)}
    </svg>
  )
}
