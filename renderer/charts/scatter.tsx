/** @file Measured quality against size: one labelled mark a model, with its error bar. Shape says what it is, not colour alone. */
import { bytes } from '../state/format.ts'
import { Plane, type Axis } from './plane.tsx'

export interface Mark { readonly key: string; readonly label: string; readonly kind: 'original' | 'uniform' | 'run'; readonly sizeBytes: number; readonly value: number; readonly stderr: number }

/** Room that a letter of a name takes; a name that would leave the chart stands on the left of its mark. */
const letterWidth = 7

const shapes = {
  original: (x: number, y: number) => `M${String(x - 5)},${String(y - 5)}h10v10h-10z`,
  uniform: (x: number, y: number) => `M${String(x)},${String(y - 6)}l6,6l-6,6l-6,-6z`,
  run: (x: number, y: number) => `M${String(x - 6)},${String(y)}a6,6 0 1,0 12,0a6,6 0 1,0 -12,0z`,
} as const
const fills = { original: 'fill-cat-6', uniform: 'fill-cat-2', run: 'fill-accent' } as const

export function Scatter({ marks, axis, label }: { readonly marks: readonly Mark[]; readonly axis: Pick<Axis, 'label' | 'format'>; readonly label: string }): React.JSX.Element {
  const sizes = marks.map((mark) => mark.sizeBytes)
  const ends = marks.flatMap(({ value, stderr }) => [value - stderr, value + stderr])
  const [left, right] = [Math.min(...sizes), Math.max(...sizes)]
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const airX = (right - left) * 0.1 || right * 0.1
  const airY = (high - low) * 0.12 || Math.abs(high) * 0.1 || 1
  return (
    <Plane label={label} x={{ label: 'size on disk', domain: [Math.max(0, left - airX), right + airX * 2], format: bytes }} y={{ ...axis, domain: [low - airY, high + airY] }} height={260}>
      {(frame) => marks.map(({ key, label: name, kind, sizeBytes, value, stderr }) => {
        const [x, y] = [frame.x(sizeBytes), frame.y(value)]
        return (
          <g key={key}>
            <title>{`${name}: ${bytes(sizeBytes)}, ${axis.format(value)}`}</title>
            <line x1={x} x2={x} y1={frame.y(value - stderr)} y2={frame.y(value + stderr)} className="stroke-ink-3" strokeWidth={1.5} />
            <path d={shapes[kind](x, y)} className={`${fills[kind]} stroke-surface-2`} />
            <text {...(x > frame.width - letterWidth * name.length ? { x: x - 10, textAnchor: 'end' } : { x: x + 10 })} y={y - 7} className="fill-ink-1 text-xs">{name}</text>
          </g>
        )
      })}
    </Plane>
  )
}
