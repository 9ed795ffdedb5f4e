/** @file What the desktop shows of the queue: progress on the dock, a notification at the end, no sleep while a job runs. */
import { Notification, powerSaveBlocker, type BrowserWindow } from 'electron'
import type { JobRecord, JobState } from '../contract/job.ts'
import type { Settings } from '../contract/settings.ts'

const spoken: Partial<Record<JobState, string>> = {
  done: 'is done', 'done-with-warnings': 'is done, with warnings', failed: 'failed', interrupted: 'was interrupted',
}

export interface Attention {
  /** Looks at the queue again: `changed` is the job that made it worth looking. */
  update: (jobs: readonly JobRecord[], changed: JobRecord) => void
}

export function createAttention(window: () => BrowserWindow | undefined, settings: () => Settings): Attention {
  let blocker: number | undefined
  const said = new Map<string, JobState>()
  return {
    update(jobs, changed) {
      const running = jobs.find((job) => job.state === 'running' && job.request.kind !== 'generate')
      window()?.setProgressBar(running === undefined ? -1 : running.total > 0 ? running.done / running.total : 2)
      if (running && settings().keepAwake) blocker ??= powerSaveBlocker.start('prevent-app-suspension')
      else if (blocker !== undefined) {
        powerSaveBlocker.stop(blocker)
        blocker = undefined
      }
      const words = spoken[changed.state]
      const isNews = words !== undefined && said.get(changed.id) !== changed.state && changed.request.kind !== 'generate'
      said.set(changed.id, changed.state)
      if (!isNews || settings().whenDone !== 'notify' || window()?.isFocused() === true || !Notification.isSupported()) return
      const notification = new Notification({ title: `${changed.title} ${words}`, body: changed.error?.message ?? '' })
      notification.on('click', () => { window()?.show() })
      notification.show()
    },
  }
}
