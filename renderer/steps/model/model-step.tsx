/** @file Step 1: what is it, and what could be gained? */
import { useMemo } from 'react'
import type { ModelSummary } from '../../../electron/contract/engine.ts'
import { ChartFigure, Legend } from '../../charts/chart-figure.tsx'
import { categoryFills, Treemap, type Tile } from '../../charts/treemap.tsx'
import { go } from '../../commands/actions.ts'
import { StepPage } from '../../frame/step-page.tsx'
import { bytes, count, percent } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Badge, Banner } from '../../ui/feedback.tsx'
import { Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { groupOf, kindOf, kinds } from './kinds.ts'
import { TensorDetails } from './tensor-details.tsx'
import { TensorTable } from './tensor-table.tsx'

/** Bits per weight between which compressed language models usually end up. */
const usualBits = [2.8, 5.5] as const

export function ModelStep(): React.JSX.Element {
  const summary = useApp((state) => state.open?.summary)
  const memory = useApp((state) => state.app?.machine.memoryBytes ?? 0)
  return summary ? <Loaded summary={summary} memoryBytes={memory} /> : <></>
}

function Loaded({ summary, memoryBytes }: { readonly summary: ModelSummary; readonly memoryBytes: number }): React.JSX.Element {
  const selected = useApp((state) => state.selected)
  const { tensors, parameters, sizeBytes, layers, blocks, contextLength, vocabulary, architecture, format, warnings } = summary
  const usable = tensors.filter((tensor) => tensor.reason === null).length
  const [low, high] = [(parameters * usualBits[0]) / 8, (parameters * usualBits[1]) / 8]
  const types = useMemo(() => byType(summary), [summary])
  const tiles = useMemo(() => tensors.map((tensor): Tile => {
    const kind = kindOf(tensor.name)
    return {
      key: tensor.name, label: tensor.name.replace(/\.weight$/, '').replace(/^.*\./, ''), group: groupOf(tensor.name), bytes: tensor.bytes, category: kinds.indexOf(kind),
      description: `${tensor.name}: ${bytes(tensor.bytes)}, ${kind.toLowerCase()}`,
    }
  }), [tensors])
  const byKind = useMemo(() => kinds.map((kind, i) => ({ kind, i, bytes: tiles.reduce((sum, tile) => sum + (tile.category === i ? tile.bytes : 0), 0) })).filter((one) => one.bytes > 0), [tiles])
  const largest = byKind.toSorted((a, b) => b.bytes - a.bytes).at(0)
  const select = (key: string): void => { useApp.setState({ selected: key }) }

  return (
    <StepPage
      step="model" question="What is it, and what could be gained?" next={summary.graph ? 'Next: samples of what it will meet' : 'Next: the text it is calibrated on'} primary={{ label: 'Continue to data', icon: 'next', run: () => { go('data') } }}
      details={<TensorDetails tensor={tensors.find((tensor) => tensor.name === selected)} />}
    >
      {warnings.map((warning) => <Banner key={warning} tone="warn" title={warning} />)}
      <Panel>
        <Figures>
          <Figure value={architecture} label="Architecture" note={format} />
          <Figure value={count(parameters)} label="Parameters" />
          <Figure value={bytes(sizeBytes)} label={<>Size on disk<Term name="size" /></>} note={<MemoryFit sizeBytes={sizeBytes} memoryBytes={memoryBytes} />} />
          <Figure value={String(blocks)} label="Blocks" note={`${String(layers.length)} layers`} />
          {contextLength !== null && <Figure value={count(contextLength)} label="Context, tokens" />}
          {vocabulary !== null && <Figure value={count(vocabulary)} label="Vocabulary" />}
          <Figure value={types} label="Stored as" />
        </Figures>
        <p className="mt-3 border-t border-line pt-3 text-ink-2">
          <strong className="font-semibold text-ink-1">{usable} of {tensors.length} tensors can be compressed</strong>
          {largest && <>, and {largest.kind.toLowerCase()} weights hold {percent(largest.bytes / sizeBytes, 0)} of the bytes</>}. Expect about <strong className="font-semibold text-ink-1 tnum">{bytes(low)} to {bytes(high)}</strong> for good quality.
        </p>
      </Panel>
      <div className="grid grid-cols-1 gap-4 @4xl:grid-cols-2">
        <ChartFigure
          title="Where the bytes are" caption={largest ? `${largest.kind} takes the most room: ${bytes(largest.bytes)} of ${bytes(sizeBytes)}.` : ''}
          table={{ columns: ['Kind', 'Bytes', 'Share'], rows: () => byKind.map(({ kind, bytes: size }) => [kind, bytes(size), percent(size / sizeBytes)]) }}
          legend={<Legend entries={byKind.map(({ kind, i }) => ({ label: kind, mark: <svg width="12" height="12" aria-hidden="true" className="keeps-colour"><rect width="12" height="12" rx="2" className={categoryFills[i]} /></svg> }))} />}
        >
          <Treemap label="Tensors by size" tiles={tiles} selected={selected} onSelect={select} height={320} />
        </ChartFigure>
        <Panel title="Tensors" isFlush className="h-[446px]"><TensorTable tensors={tensors} selected={selected} onSelect={select} /></Panel>
      </div>
    </StepPage>
  )
}

function byType({ tensors, sizeBytes }: ModelSummary): string {
  const sums = new Map<string, number>()
  for (const { type, bytes: size } of tensors) sums.set(type, (sums.get(type) ?? 0) + size)
  const sorted = [...sums].sort(([, a], [, b]) => b - a)
  const [first, second] = sorted
  return first && !second ? first[0] : sorted.slice(0, 2).map(([type, size]) => `${type} ${percent(size / sizeBytes, 0)}`).join(', ')
}

/** Whether a model of this size can be used here. */
export function MemoryFit({ sizeBytes, memoryBytes }: { readonly sizeBytes: number; readonly memoryBytes: number }): React.JSX.Element {
  const share = sizeBytes / Math.max(1, memoryBytes)
  if (share < 0.6) return <Badge tone="good" icon="check">fits this computer</Badge>
  return share < 0.9 ? <Badge tone="warn" icon="warn">tight on this computer</Badge> : <Badge tone="bad" icon="warn">too large for this computer’s memory</Badge>
}
