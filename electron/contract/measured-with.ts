/** @file What a project's choices come to when it is measured. Apart from the schemas, as the window needs it too. */
import type { MeasureSettings, Project } from './project.ts'

/** How the project is measured: without data only what needs none. */
export function measuredWith({ data, withoutData, measure }: Pick<Project, 'data' | 'withoutData' | 'measure'>): MeasureSettings {
  return data !== null || !withoutData ? measure : { ...measure, metric: 'sqnr', correction: 'none', rounder: measure.rounder === 'nearest' ? 'nearest' : 'search' }
}
