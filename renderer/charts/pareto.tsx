/**
 * @file Predicted loss against size: the curve of the best mixed plans, the same format for every layer as the honest baseline,
 * and the plan in hand. Arrows walk along the curve; Enter takes the point as the target.
 */
import { useId, useMemo, useState } from 'react'
import type { Plan } from '../../electron/contract/engine.ts'
import { bits, bytes, digits } from '../state/format.ts'
import { Plane } from './plane.tsx'

type Point = Plan['curve'][number]

export interface ParetoProps {
  readonly plan: Plan
  readonly onPick: (bytes: number) => void
}

/** A curve of thousands of points is drawn by every so many: more than pixels are of no use. */
const maxDrawn = 240
/** Room of a format's name beside its mark; nearer to the right end it stands above it, clear of the curve. */
const labelWidth = 56
/** Room of the plan's own mark. */
const markWidth = 12

export function Pareto({ plan, onPick }: ParetoProps): React.JSX.Element {
  const { curve, uniform } = plan
  const { sizeBytes, bitsPerWeight, loss } = plan.recipe.predicted
  const [cursor, setCursor] = useState<number | null>(null)
  const id = useId()
  const drawn = useMemo(() => {
    const every = Math.max(1, Math.ceil(curve.length / maxDrawn))
    return curve.filter((_, i) => i % every === 0 || i === curve.length - 1)
  }, [curve])
  const { x, y } = useMemo(() => domains([...drawn, ...uniform, { bytes: sizeBytes, bitsPerWeight, loss }]), [drawn, uniform, sizeBytes, bitsPerWeight, loss])
  const floor = y[0]
  const at = cursor === null ? undefined : drawn[cursor]
  const words = (point: Point): string => `${bytes(point.bytes)}, ${bits(point.bitsPerWeight)}, predicted loss ${digits(point.loss)}`

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const near = cursor ?? Math.max(0, drawn.findIndex((point) => point.bytes >= sizeBytes))
    const moves: Partial<Record<string, number>> = { ArrowRight: near + 1, ArrowUp: near + 1, ArrowLeft: near - 1, ArrowDown: near - 1, Home: 0, End: drawn.length - 1 }
    const wanted = moves[event.key]
    if (wanted !== undefined) {
      event.preventDefault()
      setCursor(Math.min(drawn.length - 1, Math.max(0, wanted)))
    } else if ((event.key === 'Enter' || event.key === ' ') && at && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      onPick(at.bytes)
    }
  }

  return (
    <Plane
      label="Best plans by size" x={{ label: 'size on disk', domain: x, format: bytes }} y={{ label: 'predicted loss', domain: y, format: (value) => digits(value, 1), isLog: true }}
      onKeyDown={onKeyDown} activeDescendant={at ? `${id}-at` : undefined}
    >
      {(frame) => {
        const py = (value: number): number => frame.y(Math.max(value, floor))
        const labelled = withoutOverlap(uniform.map((point) => ({ point, x: frame.x(point.bytes), y: py(point.loss) })), { x: frame.x(sizeBytes), y: py(loss) })
        const path = drawn.map((point, i) => `${i === 0 ? 'M' : 'L'}${frame.x(point.bytes).toFixed(1)},${py(point.loss).toFixed(1)}`).join('')
        return (
          <>
            <path d={path} className="fill-none stroke-cat-1" strokeWidth={2} aria-hidden="true" />
            {drawn.map((point, i) => (
              <circle key={i} role="option" aria-selected={false} aria-label={words(point)} cx={frame.x(point.bytes)} cy={py(point.loss)} r={7} className="fill-transparent" onClick={() => { onPick(point.bytes) }}><title>{words(point)}</title></circle>
            ))}
            {uniform.map((point) => {
              const [cx, cy] = [frame.x(point.bytes), py(point.loss)]
              return (
                <g key={point.option} role="option" aria-selected={false} aria-label={`${point.option} for every layer: ${words(point)}`}>
                  <title>{`${point.option} for every layer: ${words(point)}`}</title>
                  <path d={`M${String(cx)},${String(cy - 5)}l5,5l-5,5l-5,-5z`} className="fill-cat-2 stroke-surface-2" />
                  {labelled.has(point) && <text {...(cx > frame.width - labelWidth ? { x: cx + 8, y: cy - 11, textAnchor: 'end' } : { x: cx + 8, y: cy - 4 })} className="fill-ink-2 text-xs" aria-hidden="true">{point.option}</text>}
                </g>
              )
            })}
            {at && (
              <g id={`${id}-at`} role="option" aria-selected={false} aria-label={`${words(at)}. Enter takes this size.`}>
                <circle cx={frame.x(at.bytes)} cy={py(at.loss)} r={6} className="fill-none stroke-ink-1" strokeWidth={2} />
              </g>
            )}
            <g role="option" aria-selected="true" aria-label={`this plan: ${words({ bytes: sizeBytes, bitsPerWeight, loss })}`}>
              <line x1={frame.x(sizeBytes)} x2={frame.x(sizeBytes)} y1={py(loss)} y2={frame.height} className="stroke-accent" strokeDasharray="3 3" />
              <circle cx={frame.x(sizeBytes)} cy={py(loss)} r={6} className="fill-accent stroke-surface-2" strokeWidth={2} />
              <text x={frame.x(sizeBytes) - 10} y={py(loss) + 16} textAnchor="end" className="fill-ink-1 font-semibold" aria-hidden="true">this plan</text>
            </g>
          </>
        )
      }}
    </Plane>
  )
}

/** The points whose names can be read: a name that would lie on another, or on the plan's mark, is left to the table. */
function withoutOverlap<P>(points: readonly { point: P; x: number; y: number }[], plan: { x: number; y: number }): Set<P> {
  const high = 14
  const placed: { x: number; y: number }[] = []
  const isOnPlan = (x: number, y: number): boolean => plan.x > x - markWidth && plan.x < x + labelWidth && Math.abs(plan.y - y) < high
  const shown = new Set<P>()
  for (const { point, x, y } of points) {
    if (isOnPlan(x, y) || placed.some((other) => Math.abs(other.x - x) < labelWidth && Math.abs(other.y - y) < high)) continue
    placed.push({ x, y })
    shown.add(point)
  }
  return shown
}

/** Domains with a little air; a loss of zero is drawn on the floor of the log scale. */
function domains(points: readonly Point[]): { x: [number, number]; y: [number, number] } {
  const sizes = points.map((point) => point.bytes)
  const losses = points.map((point) => point.loss).filter((loss) => loss > 0)
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)]
  const air = (high - low) * 0.04 || 1
  return { x: [low - air, high + air], y: losses.length > 0 ? [Math.min(...losses) / 1.5, Math.max(...losses) * 1.6] : [0.1, 1] }
}
