/** @file The first screen: one gesture to value. Drop, choose, download, go on, or try the example. */
import { chooseModel, go, openExample, reopen, showDialog } from '../commands/actions.ts'
import { ago, shortName } from '../state/format.ts'
import { useApp } from '../state/store.ts'
import { stepNames, stepOrder } from '../state/steps.ts'
import { Button } from '../ui/button.tsx'
import { Banner } from '../ui/feedback.tsx'
import { Icon, Logo } from '../ui/icon.tsx'
import { PageTitle } from '../ui/page-title.tsx'
import { Panel } from '../ui/panel.tsx'

export function StartScreen(): React.JSX.Element {
  const recent = useApp((state) => state.recent)
  const jobs = useApp((state) => state.jobs)
  const lost = jobs.filter((job) => job.state === 'interrupted')
  return (
    <div className="min-h-0 flex-1 overflow-auto px-3 py-6 sm:px-6 sm:py-10">
      <div className="mx-auto flex max-w-3xl flex-col gap-6">
        <header className="flex flex-col gap-1">
          <PageTitle isLarge><span className="text-accent"><Logo size={30} /></span>Make a model smaller</PageTitle>
          <p className="max-w-prose text-lg text-ink-2">Halftone measures which layers of a neural network mind being compressed, and spends the bits where they matter. Everything stays on this machine.</p>
        </header>
        {lost.length > 0 && (
          <Banner tone="warn" title={lost.length === 1 ? `“${lost[0]?.title ?? ''}” was interrupted` : `${String(lost.length)} jobs were interrupted`} actions={<Button size="small" onClick={() => { go('queue') }}>Show the queue</Button>}>
            What was finished is kept. Resume it from the queue.
          </Banner>
        )}
        <div className="flex flex-col items-center gap-4 rounded-lg border-2 border-dashed border-line-strong/60 bg-surface-2 px-4 py-10 text-center">
          <Icon name="download" size={28} className="text-accent" />
          <div>
            <p className="text-lg font-semibold">Drop a model here</p>
            <p className="text-ink-2">A Hugging Face folder, a GGUF file, or an ONNX model.</p>
          </div>
          <div className="flex flex-wrap justify-center gap-2">
            <Button look="primary" icon="file" onClick={() => { void chooseModel('model') }}>Choose file…</Button>
            <Button icon="folder" onClick={() => { void chooseModel('model-folder') }}>Choose folder…</Button>
            <Button icon="download" onClick={() => { showDialog('hub') }}>Download from the Hub…</Button>
          </div>
        </div>
        <div className="flex flex-wrap items-center justify-between gap-4 rounded-md border border-line bg-surface-2 p-4">
          <div className="min-w-0 flex-[1_1_20rem]">
            <p className="font-semibold">New here?</p>
            <p className="text-ink-2">The example is a small language model with its texts. All seven steps take a minute or two, without a network.</p>
          </div>
          <Button icon="play" onClick={() => { void openExample() }}>Try the example</Button>
        </div>
        {recent.length > 0 && (
          <Panel title="Go on with" isFlush>
            <ul>
              {recent.slice(0, 8).map(({ id, name, model, openedAt, step }) => (
                <li key={id} className="border-b border-line/60 last:border-0">
                  <button type="button" onClick={() => { void reopen(id, name) }} className="flex min-h-11 w-full items-center gap-3 px-3 py-1 text-left hover:bg-surface-3">
                    <Icon name="folder" className="text-ink-3" />
                    <span className="min-w-0 flex-1"><span className="font-medium">{name}</span><span className="block truncate text-sm text-ink-3" title={model}>{shortName(model, 72)}</span></span>
                    <span className="text-sm text-ink-2">{stepNames[stepOrder.find((one) => one === step) ?? 'model']}</span>
                    <span className="w-24 text-right text-sm text-ink-3 tnum max-sm:hidden">{ago(openedAt, Date.now())}</span>
                  </button>
                </li>
              ))}
            </ul>
          </Panel>
        )}
      </div>
    </div>
  )
}
