/** @file Step 2 for an ONNX graph: samples of its inputs, and how pictures become one. */
import type { DataPreview, ModelSummary } from '../../../electron/contract/engine.ts'
import type { ImageOptions } from '../../../electron/contract/graph.ts'
import type { DataSource } from '../../../electron/contract/project.ts'
import { chooseData, setMeasure } from '../../commands/actions.ts'
import { count, digits } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { Banner, Empty } from '../../ui/feedback.tsx'
import { NumberField, ParsedField } from '../../ui/fields.tsx'
import { Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { HeldOut } from './held-out.tsx'
import { parseNumbers, parseSize } from './picture-settings.ts'

export function NoGraphData({ graph: { inputs, pictures, takesTokens } }: { readonly graph: NonNullable<ModelSummary['graph']> }): React.JSX.Element {
  const isPicture = pictures !== null
  return (
    <>
      <Empty
        icon="file" title="Choose samples"
        actions={<>
          {isPicture && <Button icon="folder" onClick={() => { void chooseData('data-folder') }}>Choose folder of pictures…</Button>}
          <Button icon="file" onClick={() => { void chooseData('data') }}>Choose file…</Button>
        </>}
      >
        <p>A few dozen samples of the kind this model will see. It takes:</p>
        <ul className="mt-1">{inputs.map(({ name, text }) => <li key={name}><span className="font-mono text-sm">{name}</span> <span className="text-ink-3">{text}</span></li>)}</ul>
        <p className="mt-2">
          {isPicture && 'A folder of pictures, or arrays: '}{takesTokens && 'JSONL with texts or token ids, or arrays: '}an .npz file with an array named as each input, samples along the first axis{inputs.length === 1 && ', or an .npy file'}. Drop it anywhere in this window.
        </p>
      </Empty>
      {isPicture && <div className="mx-auto max-w-2xl border-t border-line pt-3"><PictureFields /></div>}
    </>
  )
}

interface GraphDataProps { readonly preview: DataPreview; readonly graph: NonNullable<DataPreview['graph']>; readonly data: DataSource; readonly samples: number }

export function GraphData({ preview, graph, data, samples }: GraphDataProps): React.JSX.Element {
  const { inputs, isLabelled, pictures, notes } = graph
  const isPictures = preview.kind === 'images'
  return (
    <>
      {notes.map((note) => <Banner key={note} tone="info" title={note} />)}
      <Panel title={data.name}>
        <Figures>
          <Figure value={isPictures ? 'pictures' : preview.kind} label="Format" />
          <Figure value={count(preview.rows)} label="Samples" />
          <Figure value={isLabelled ? 'yes' : 'no'} label="Labels" />
        </Figures>
      </Panel>
      <div className="grid grid-cols-1 gap-4 @4xl:grid-cols-[minmax(0,1fr)_360px]">
        <Panel title="As the model sees it" isFlush>
          {pictures.length > 0 && (
            <ul className="flex flex-wrap gap-3 p-3" aria-label="First samples">
              {pictures.map((picture, at) => <li key={at}><img src={picture} alt={`Sample ${String(at + 1)}`} className="rounded-sm border border-line" /></li>)}
            </ul>
          )}
          <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Inputs">
            <table className="w-full">
              <thead><tr className="border-b border-line text-sm text-ink-2">{['Input', 'Type', 'Shape', 'Least', 'Mean', 'Most'].map((name, at) => <th key={name} scope="col" className={`h-9 px-3 font-medium ${at < 3 ? 'text-left' : 'text-right'}`}>{name}</th>)}</tr></thead>
              <tbody>
                {inputs.map(({ name, type, shape, least, mean, most }) => (
                  <tr key={name} className="border-b border-line/60 last:border-0">
                    <th scope="row" className="h-9 px-3 text-left font-mono text-sm font-normal">{name}</th><td className="px-3">{type}</td><td className="px-3 tnum">{shape.join(' × ')}</td>
                    {[least, mean, most].map((value, at) => <td key={at} className="px-3 text-right tnum">{digits(value)}</td>)}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <div className="flex min-w-0 flex-col gap-4">
          <Panel title={<>How much is used<Term name="calibration" /></>}>
            <NumberField label="Samples" value={samples} min={1} max={4096} step={8} onChange={(value) => { setMeasure({ samples: Math.round(value) }) }} />
            {preview.rows < samples && <p className="mt-3 text-sm text-ink-2">The data holds {count(preview.rows)}; all that are not kept apart are used.</p>}
          </Panel>
          {isPictures && <Panel title="From picture to input"><PictureFields /></Panel>}
          <HeldOut name={data.heldOut?.name ?? null} what="samples" />
        </div>
      </div>
    </>
  )
}

/** The fields of `image` with one changed; an empty text leaves it to the file beside the model. */
function changed<K extends keyof ImageOptions>(image: ImageOptions | undefined, name: K, value: ImageOptions[K]): ImageOptions | undefined {
  const next = Object.fromEntries(Object.entries({ ...image, [name]: value }).filter(([, one]) => one !== undefined)) as ImageOptions
  return Object.keys(next).length === 0 ? undefined : next
}

function PictureFields(): React.JSX.Element {
  const image = useApp((state) => state.open?.project.measure.image)
  const isFixed = useApp((state) => state.open?.summary.graph?.pictures === 'fixed')
  return (
    <div className="flex flex-col gap-3">
      {!isFixed && <ParsedField label="Height × width" value={image?.size?.join(' × ') ?? ''} parse={parseSize} placeholder="224 × 224" onChange={(size) => { setMeasure({ image: changed(image, 'size', size) }) }} />}
      <ParsedField label="Mean, by channel" value={image?.mean?.join(', ') ?? ''} parse={parseNumbers} placeholder="0.485, 0.456, 0.406" onChange={(mean) => { setMeasure({ image: changed(image, 'mean', mean) }) }} />
      <ParsedField label="Standard deviation, by channel" value={image?.std?.join(', ') ?? ''} parse={parseNumbers} placeholder="0.229, 0.224, 0.225" onChange={(std) => { setMeasure({ image: changed(image, 'std', std) }) }} />
      <p className="text-sm text-ink-3">Pixels are divided by 255, less the mean, over the deviation. What is left empty is read from a preprocessor_config.json beside the model.</p>
    </div>
  )
}
