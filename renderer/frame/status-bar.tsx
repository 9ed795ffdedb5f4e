/** @file The state of things: the engine, the machine's memory, the running job and how long it still takes. */
import { call } from '../state/call.ts'
import { bytes, left, percent } from '../state/format.ts'
import { useApp } from '../state/store.ts'
import { attempt, go } from '../commands/actions.ts'
import { Button } from '../ui/button.tsx'

const engineWords = { starting: 'Engine starting', ready: 'Engine ready', 'not-responding': 'Engine is not responding', stopped: 'Engine at rest' } as const

export function StatusBar(): React.JSX.Element {
  const engine = useApp((state) => state.engine)
  const memory = useApp((state) => state.engineMemoryBytes)
  const machine = useApp((state) => state.app?.machine)
  const job = useApp((state) => state.jobs.find(({ state: now }) => now === 'running' || now === 'pausing' || now === 'cancelling'))
  return (
    <footer data-region="status" tabIndex={-1} className="flex min-h-7 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line bg-surface-2 px-3 text-sm text-ink-2">
      <span className="flex items-center gap-1.5"><span aria-hidden="true" className={`h-2 w-2 rounded-full ${engine === 'ready' ? 'bg-good' : engine === 'not-responding' ? 'bg-bad' : 'bg-line-strong'}`} />{engineWords[engine]}</span>
      {engine === 'not-responding' && <Button size="small" look="danger" onClick={() => { void attempt(() => call('engine.restart')) }}>End and restart it</Button>}
      {memory !== null && machine && <span className="tnum">engine memory {bytes(memory)} of {bytes(machine.memoryBytes)}</span>}
      <span className="flex-1" />
      {job && (
        <button type="button" className="flex min-h-6 items-center gap-2 rounded px-1 hover:text-ink-1" onClick={() => { go('queue') }}>
          <span className="max-w-64 truncate">{job.title}</span>
          {job.total > 0 && <span className="tnum">{percent(job.done / job.total, 0)}</span>}
          <span className="tnum">{left(job.remainingMs)}</span>
        </button>
      )}
    </footer>
  )
}
