/** @file What is set once for all projects. Every change counts at once. */
import { useState } from 'react'
import type { Input } from '../../electron/contract/api.ts'
import { attempt } from '../commands/actions.ts'
import { call } from '../state/call.ts'
import { bytes } from '../state/format.ts'
import { useApp } from '../state/store.ts'
import { Button } from '../ui/button.tsx'
import { Confirm, type Asked } from '../ui/confirm.tsx'
import { NumberField, Segmented, Switch } from '../ui/fields.tsx'
import { PageTitle } from '../ui/page-title.tsx'
import { Panel } from '../ui/panel.tsx'

export function SettingsPage(): React.JSX.Element {
  const app = useApp((state) => state.app)
  const recent = useApp((state) => state.recent)
  const [asked, setAsked] = useState<Asked | null>(null)
  if (!app) return <></>
  const { settings, machine, outputFolder, version } = app
  const set = (patch: Input<'settings.update'>): void => { void attempt(() => call('settings.update', patch)) }
  const limit = settings.memoryBytes
  const askToForget = ({ id, name }: (typeof recent)[number]): void => {
    setAsked({ title: `Forget ${name}?`, text: 'What was measured for this model is deleted. The model and finished files stay.', act: 'Forget', run: () => { void attempt(() => call('project.forget', { id })) } })
  }
  return (
    <div className="min-h-0 flex-1 overflow-auto px-3 pt-5 pb-6 sm:px-6">
      <div className="mx-auto flex max-w-3xl flex-col gap-4">
        <PageTitle>Settings</PageTitle>
        <Panel title="Look">
          <div className="flex flex-wrap gap-8">
            <Segmented label="Theme" value={settings.theme} onChange={(theme) => { set({ theme }) }} choices={[{ value: 'system', label: 'As the system' }, { value: 'light', label: 'Light' }, { value: 'dark', label: 'Dark' }]} />
            <Segmented label="Tables" value={settings.density} onChange={(density) => { set({ density }) }} choices={[{ value: 'compact', label: 'Compact' }, { value: 'comfortable', label: 'Comfortable' }]} />
          </div>
        </Panel>
        <Panel title="Work">
          <div className="flex flex-col gap-4">
            <Switch label="Limit the memory for intermediate results" isOn={limit !== null} onChange={(isOn) => { set({ memoryBytes: isOn ? Math.round(machine.memoryBytes / 4) : null }) }} hint={`What does not fit goes to disk. This machine has ${bytes(machine.memoryBytes)}.`} />
            {limit !== null && <NumberField label="At most" unit="GB" value={limit / 1e9} decimals={1} min={0.2} max={machine.memoryBytes / 1e9} step={0.5} onChange={(value) => { set({ memoryBytes: Math.round(value * 1e9) }) }} />}
            <Switch label="Keep the computer awake while a job runs" isOn={settings.keepAwake} onChange={(keepAwake) => { set({ keepAwake }) }} />
            <Switch label="Tell me when a job is done" isOn={settings.whenDone === 'notify'} onChange={(isOn) => { set({ whenDone: isOn ? 'notify' : 'nothing' }) }} hint="Only while the window is not in front." />
          </div>
        </Panel>
        <Panel title="Finished models" actions={<Button size="small" icon="folder" onClick={() => { void attempt(() => call('settings.outputFolder')) }}>Change folder…</Button>}>
          <p className="font-mono text-sm wrap-anywhere">{outputFolder}</p>
        </Panel>
        <Panel title="Projects" isFlush>
          {recent.length === 0
            ? <p className="p-3 text-ink-2">No project yet.</p>
            : (
                <ul>
                  {recent.map((project) => (
                    <li key={project.id} className="flex items-center gap-3 border-b border-line/60 px-3 py-1.5 last:border-0">
                      <span className="min-w-0 flex-1"><span className="font-medium">{project.name}</span><span className="block truncate text-sm text-ink-3">{project.model}</span></span>
                      <Button size="small" icon="trash" label={`Forget ${project.name}`} onClick={() => { askToForget(project) }}>Forget…</Button>
                    </li>
                  ))}
                </ul>
              )}
          <p className="border-t border-line px-3 py-2 text-sm text-ink-3">Forgetting removes the measurements kept for a model. The model and finished files stay.</p>
        </Panel>
        <Panel title="Privacy">
          <p>Halftone sends nothing anywhere. The only network use is a download you ask for.</p>
          <p className="mt-1 text-sm text-ink-3">Version {version}</p>
        </Panel>
      </div>
      <Confirm asked={asked} onClose={() => { setAsked(null) }} />
    </div>
  )
}
