/** @file The wizard as a person walks it, by mouse: one function a step, by role and name. */
import type { ElectronApplication, Page } from 'playwright-core'
import { answerOpenDialog } from './launch.ts'
import { sampleModel, type Texts } from './texts.ts'

/** Work of the engine on a busy machine. */
export const workMs = 1_200_000

export const stepHeading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
export const primary = (page: Page) => page.locator('#primary-action')
export const railLink = (page: Page, name: string) => page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name: new RegExp(name) })

/** Presses the step's one primary button, once it has this name and can be pressed. */
export async function pressPrimary(page: Page, name: string | RegExp): Promise<void> {
  await page.locator('#primary-action:not([aria-disabled])').filter({ hasText: name }).click({ timeout: workMs })
}

/** From the Model step to the exported file, by nothing but the primary button of each step. */
export async function acceptDefaults(page: Page): Promise<void> {
  await stepHeading(page, 'Model').waitFor()
  await pressPrimary(page, 'Continue to data')
  await stepHeading(page, 'Data').waitFor()
  await pressPrimary(page, /^Continue/)
  await stepHeading(page, 'Sensitivity').waitFor()
  await pressPrimary(page, /^Measure \d+ layers/)
  await page.getByText(/layers are measured/).waitFor({ timeout: workMs })
  await pressPrimary(page, 'Continue to bit budget')
  await pressPrimary(page, 'Continue to run')
  await pressPrimary(page, 'Start')
  await pressPrimary(page, 'Continue to compare')
  await pressPrimary(page, 'Continue to export')
  await stepHeading(page, 'Export').waitFor()
}

export async function openModel(app: ElectronApplication, page: Page, model = sampleModel): Promise<void> {
  await answerOpenDialog(app, [model])
  await page.getByRole('button', { name: 'Choose folder…' }).click()
  await stepHeading(page, 'Model').waitFor()
}

export async function chooseTexts(app: ElectronApplication, page: Page, { calibration, heldOut }: Texts): Promise<void> {
  await page.getByRole('button', { name: 'Continue to data' }).click()
  await answerOpenDialog(app, [calibration])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
  await answerOpenDialog(app, [heldOut])
  await page.getByRole('button', { name: 'Choose held-out text…' }).click()
  await page.getByText('the text validation.txt').waitFor()
}

/** The quickest honest measurement: plain rounding, few windows. */
export async function quickSettings(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Continue to sensitivity' }).click()
  await stepHeading(page, 'Sensitivity').waitFor()
  await page.getByLabel('Metric').selectOption('imatrix')
  await page.getByLabel('Rounding').selectOption('nearest')
  await page.getByLabel('Windows').fill('4')
  await page.keyboard.press('Enter')
}

export async function measureAll(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Measure \d+ layers/ }).click()
  await page.getByText(/layers are measured/).waitFor({ timeout: workMs })
}

/** From the start screen to a solved plan. */
export async function walkToBudget(app: ElectronApplication, page: Page, texts: Texts): Promise<void> {
  await openModel(app, page)
  await chooseTexts(app, page, texts)
  await quickSettings(page)
  await measureAll(page)
  await page.getByRole('button', { name: 'Continue to bit budget' }).click()
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
}

export async function startRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Continue to run' }).click()
  await stepHeading(page, 'Run').waitFor()
  await primary(page).filter({ hasText: /Start|Add to queue/ }).click()
}
