/** @file The small dialogs: shortcuts, the step as a command, a download from the Hub. */
import { useState } from 'react'
import { commands, type CommandFields } from '../../electron/contract/commands.ts'
import type { Step } from '../../electron/contract/project.ts'
import { call } from '../state/call.ts'
import { useApp } from '../state/store.ts'
import { stepNames, stepOrder } from '../state/steps.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/fields.tsx'
import { Modal } from '../ui/modal.tsx'
import { Keys } from '../ui/panel.tsx'
import { announce, attempt, go, showDialog } from './actions.ts'
import { commandLine } from './command-line.ts'

const close = (): void => { showDialog(null) }
const listed: readonly CommandFields[] = Object.values(commands)

export function ShortcutsDialog(): React.JSX.Element {
  const isOpen = useApp((state) => state.dialog === 'shortcuts')
  const isMac = useApp((state) => state.app?.platform === 'darwin')
  const menus = [...new Set(listed.map((command) => command.menu))]
  return (
    <Modal title="Keyboard shortcuts" isOpen={isOpen} onClose={close} width="max-w-2xl" isText>
      <div className="grid gap-x-8 gap-y-4 p-4 sm:grid-cols-2">
        {menus.map((menu) => (
          <section key={menu}>
            <h3 className="mb-1 font-semibold">{menu}</h3>
            <dl>
              {listed.filter((command) => command.menu === menu && command.shortcut !== undefined).map(({ label, shortcut }) => (
                <div key={label} className="flex h-7 items-center justify-between gap-4"><dt className="text-ink-2">{label}</dt><dd><Keys shortcut={shortcut ?? ''} isMac={isMac} /></dd></div>
              ))}
            </dl>
          </section>
        ))}
        <p className="text-ink-2 sm:col-span-2">In tables and charts: arrows move, Home and End go to the ends, Enter opens. Escape closes what is open.</p>
      </div>
    </Modal>
  )
}

export function CommandDialog(): React.JSX.Element {
  const isOpen = useApp((state) => state.dialog === 'command')
  const project = useApp((state) => state.open?.project)
  const route = useApp((state) => state.route)
  const step: Step = stepOrder.find((one) => one === route) ?? 'run'
  const line = project && commandLine(step, project)
  const recipe = project && JSON.stringify({ model: project.model, data: project.data?.path ?? null, ...project.draft, measure: project.measure }, null, 2)
  const copy = (text: string): void => {
    void attempt(async () => {
      await navigator.clipboard.writeText(text)
      announce('Copied')
    })
  }
  return (
    <Modal title={`${stepNames[step]} as a command`} isOpen={isOpen} onClose={close} width="max-w-3xl">
      <div className="flex flex-col gap-3 p-4">
        {line === undefined
          ? <p>This step needs calibration data first.</p>
          : <><p className="text-ink-2">The command line runs the same engine and gives the same bytes.</p><CodeBlock text={line} onCopy={() => { copy(line) }} label="Command" /></>}
        {recipe !== undefined && <details><summary className="font-medium">What is chosen, as JSON</summary><div className="mt-2"><CodeBlock text={recipe} onCopy={() => { copy(recipe) }} label="Choices" /></div></details>}
      </div>
    </Modal>
  )
}

export function CodeBlock({ text, label, onCopy }: { readonly text: string; readonly label: string; readonly onCopy: () => void }): React.JSX.Element {
  return (
    <div className="relative">
      <pre tabIndex={0} role="region" aria-label={label} className="max-h-72 overflow-auto rounded-md border border-line bg-surface-1 py-2.5 pr-24 pl-3 font-mono text-sm whitespace-pre-wrap wrap-anywhere">{text}</pre>
      <Button size="small" icon="copy" className="absolute top-2 right-2" onClick={onCopy}>Copy</Button>
    </div>
  )
}

/** owner/name, or the address of a model's page. */
export function hubRepo(text: string): string | undefined {
  return /^(?:https:\/\/huggingface\.co\/)?([\w.-]+\/[\w.-]+?)(?:\/(?:tree|blob)\/.*)?\/?$/.exec(text.trim())?.[1]
}

export function HubDialog(): React.JSX.Element {
  const isOpen = useApp((state) => state.dialog === 'hub')
  const [text, setText] = useState('')
  const repo = hubRepo(text)
  const start = (): void => {
    if (repo === undefined) return
    void attempt(async () => {
      await call('job.download', { repo })
      close()
      go('queue')
    })
  }
  return (
    <Modal title="Download from the Hub" isOpen={isOpen} onClose={close}>
      <div className="flex flex-col gap-4 p-4">
        <TextField label="Model" value={text} onChange={setText} placeholder="owner/name" isMono onSubmit={start} hint="A name such as HuggingFaceTB/SmolLM2-135M, or the address of its page on huggingface.co. Only what Halftone reads is downloaded; a stopped download goes on where it was." />
        <div className="flex items-center justify-end gap-3">
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" icon="download" onClick={start} reason={repo === undefined ? 'Enter owner/name' : null}>Download</Button>
        </div>
      </div>
    </Modal>
  )
}
