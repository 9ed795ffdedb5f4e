/** @file What happens when the window is closed while a job runs: the user decides, and nothing finished is lost. */
import { dialog, type App, type BrowserWindow } from 'electron'
import type { Jobs } from './jobs.ts'

const choices = ['Pause and quit', 'Keep working in the background', 'Go back'] as const

export function askBeforeClosing(app: App, window: BrowserWindow, jobs: Jobs): void {
  let isSettled = false
  window.on('close', (event) => {
    if (isSettled || jobs.active().length === 0) return
    event.preventDefault()
    void ask(window, jobs).then(async (choice) => {
      if (choice === 'Go back') return
      if (choice === 'Keep working in the background') {
        window.hide()
        await jobs.settled()
        if (window.isVisible()) return // the user came back meanwhile
      } else {
        for (const job of jobs.active()) jobs.pause(job.id)
        await jobs.settled()
      }
      isSettled = true
      app.quit()
    })
  })
}

async function ask(window: BrowserWindow, jobs: Jobs): Promise<(typeof choices)[number]> {
  const titles = jobs.active().map((job) => job.title).join(', ')
  const { response } = await dialog.showMessageBox(window, {
    type: 'question', buttons: [...choices], defaultId: 0, cancelId: 2, title: 'A job is running',
    message: `“${titles}” is still running.`, detail: 'If you pause it, what is finished is kept and it resumes where it stopped.',
  })
  return choices[response] ?? 'Go back'
}
