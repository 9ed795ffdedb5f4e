/** The queue: what waits is moved, edited, run again and removed; the desktop is told of what runs and what is done. */
import type { ElectronApplication, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { writeTexts } from '../texts.ts'
import { pressPrimary, railLink, startRun, stepHeading, walkToBudget, workMs } from '../wizard.ts'

const titles = async (page: Page): Promise<string[]> => (await page.getByRole('list', { name: 'Jobs' }).getByRole('listitem').getByRole('button', { pressed: false }).filter({ hasText: /ago|just now/ }).allTextContents()).map((text) => text.split('compress')[0].split('measure ·')[0])

/** What the desktop is asked for, from now on; the window is not in front. */
function watchDesktop(app: ElectronApplication): Promise<void> {
  return app.evaluate(({ BrowserWindow, Notification, powerSaveBlocker }) => {
    const asked: string[] = []
    Object.assign(globalThis, { asked })
    Notification.prototype.show = function (this: { title: string }) { asked.push(`notify: ${this.title}`) }
    const [start, stop] = [powerSaveBlocker.start.bind(powerSaveBlocker), powerSaveBlocker.stop.bind(powerSaveBlocker)]
    powerSaveBlocker.start = (type) => {
      asked.push(`awake: ${type}`)
      return start(type)
    }
    powerSaveBlocker.stop = (id) => {
      asked.push('may sleep')
      return stop(id)
    }
    const [window] = BrowserWindow.getAllWindows()
    window.isFocused = () => false
    window.setProgressBar = (share) => { if (asked.at(-1) !== `progress ${share < 0 ? 'none' : 'some'}`) asked.push(`progress ${share < 0 ? 'none' : 'some'}`) }
  })
}
const asked = (app: ElectronApplication): Promise<string[]> => app.evaluate(() => Reflect.get(globalThis, 'asked') as string[])

test('jobs are held, moved, edited, copied and removed, and the desktop hears of the end', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await walkToBudget(app, page, await writeTexts(folder))
  await railLink(page, 'Queue').click()
  await page.getByText('Stop after the current job').click()
  await railLink(page, 'Bit budget').click()
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  await startRun(page)
  await page.getByText('waiting', { exact: true }).first().waitFor()
  await railLink(page, 'Bit budget').click()
  await page.getByRole('button', { name: /^Small: 3\.50 bpw/ }).click()
  await page.getByText(/ 3\.[45]\d bpw · solved/).waitFor()
  await pressPrimary(page, 'Continue to run')
  await page.getByRole('button', { name: 'Review the new plan' }).click()
  await pressPrimary(page, 'Add to queue')
  await page.getByText('waiting', { exact: true }).first().waitFor()

  await railLink(page, 'Queue').click()
  await expect.poll(() => titles(page)).toHaveLength(2) // and the one that is shown below
  const [measured, balanced] = await titles(page)
  expect([measured, balanced]).toEqual(['Measure sample-model', expect.stringMatching(/^sample-model-gguf-4\.[45]/)])
  const small = await page.getByRole('list', { name: 'Jobs' }).getByRole('listitem').last().getByRole('button', { pressed: true }).textContent() ?? ''
  const name = small.split('compress')[0]
  await page.getByRole('button', { name: `Move ${name} up` }).click()
  await expect.poll(() => titles(page)).toEqual([measured, balanced])
  await page.getByRole('list', { name: 'Jobs' }).getByRole('listitem').nth(1).getByText(name).waitFor()
  await page.getByRole('listitem').filter({ hasText: name }).dragTo(page.getByRole('listitem').filter({ hasText: measured }))
  await page.getByRole('list', { name: 'Jobs' }).getByRole('listitem').first().getByText(name).waitFor()

  await page.getByRole('button', { name: `Edit the plan of ${balanced}` }).click()
  await stepHeading(page, 'Bit budget').waitFor()
  await page.getByText(/ 4\.[45]\d bpw · solved/).waitFor()

  await railLink(page, 'Queue').click()
  await page.getByRole('button', { name: `Cancel ${balanced}` }).click()
  await page.getByRole('button', { name: `Remove ${balanced} from the queue` }).click()
  await page.getByRole('button', { name: 'Keep it' }).click()
  await page.getByRole('button', { name: `Run ${balanced} again` }).click()
  await expect.poll(() => page.getByRole('listitem').filter({ hasText: balanced }).count()).toBe(2)
  await page.getByRole('button', { name: `Remove ${balanced} from the queue` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect.poll(() => page.getByRole('listitem').filter({ hasText: balanced }).count()).toBe(1)
  await page.getByRole('button', { name: `Cancel ${balanced}` }).click()

  await watchDesktop(app)
  await page.getByText('Stop after the current job').click()
  await expect.poll(() => asked(app), { timeout: workMs }).toContain(`notify: ${name} is done`)
  const heard = await asked(app)
  expect(heard).toContain('awake: prevent-app-suspension')
  expect(heard.indexOf('may sleep')).toBeGreaterThan(heard.indexOf('awake: prevent-app-suspension'))
  const progress = heard.filter((one) => one.startsWith('progress'))
  expect(progress).toContain('progress some')
  expect(progress.at(-1)).toBe('progress none')
  expect(heard.filter((one) => one.startsWith('notify'))).toEqual([`notify: ${name} is done`])
})
