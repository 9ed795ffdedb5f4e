/** @file What can be done for a job that ran out of memory. */
import { withLessMemory } from '../../../electron/contract/less-memory.ts'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { onJob } from '../../commands/actions.ts'
import { Button } from '../../ui/button.tsx'

/** Nothing for other jobs, and where it would not help. */
export function LessMemory({ job }: { readonly job: JobRecord }): React.JSX.Element | null {
  if (job.error?.code !== 'out-of-memory' || withLessMemory(job.request) === null) return null
  return <Button size="small" look="primary" icon="play" onClick={() => { void onJob('job.resumeWithLess', job.id) }}>Go on with less memory</Button>
}
