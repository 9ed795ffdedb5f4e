/**
 * @file How the command line speaks: results on stdout (one JSON object with --json), progress on stderr, exit code 0 done,
 * 1 the input cannot be used, 2 usage, 130 cancelled.
 */
import { AppError, errorFields } from '../contract/errors.ts'
import type { Context, JobEvent } from '../contract/events.ts'

/** Time a cancelled command gets to end by itself, in milliseconds. */
const cancelGraceMs = 900

export interface Terminal {
  readonly context: Context
  /** Prints the result: `text(value)` for people, the value itself with --json. */
  readonly result: <T>(value: T, text: (value: T) => string) => void
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** Progress lines on stderr: rewritten in place on a terminal, one line a tenth of the stage elsewhere. */
function progressPrinter(stream: NodeJS.WriteStream): (event: JobEvent) => void {
  let tenth = -1
  return (event) => {
    const fresh = stream.isTTY ? '\r\u001b[K' : ''
    switch (event.type) {
      case 'stage':
        tenth = -1
        stream.write(`${fresh}${event.stage}\n`)
        break
      case 'progress': {
        const now = Math.floor((event.done / event.total) * 10)
        const left = event.remainingMs === null ? '' : `, about ${duration(event.remainingMs)} left`
        const line = `  ${event.stage} ${event.done}/${event.total} ${event.item}${left}`
        if (stream.isTTY) stream.write(`${fresh}${line.slice(0, Math.max(20, (stream.columns || 80) - 1))}`)
        else if (now > tenth) stream.write(`${line}\n`)
        tenth = Math.max(now, tenth)
        break
      }
      case 'log':
        stream.write(`${fresh}${event.level === 'warning' ? 'warning: ' : ''}${event.text}\n`)
        break
      default:
    }
  }
}

/**
 * Runs a command's action with cancellation and error reporting, then sets the exit code. Ctrl-C cancels; the process
 * ends within a second whatever the action does.
 */
export async function runCommand(options: { json?: boolean }, action: (terminal: Terminal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const cancel = (): void => {
    controller.abort(new AppError('cancelled', 'Cancelled'))
    setTimeout(() => process.exit(130), cancelGraceMs).unref()
  }
  process.once('SIGINT', cancel).once('SIGTERM', cancel)
  try {
    await action({
      context: { signal: controller.signal, report: progressPrinter(process.stderr) },
      result: (value, text) => { process.stdout.write(`${options.json === true ? JSON.stringify(value) : text(value)}\n`) },
    })
  } catch (cause) {
    const error = errorFields(cause)
    if (error.code === 'cancelled') {
      process.stderr.write('\ncancelled\n')
      process.exitCode = 130
      return
    }
    process.stderr.write(`\nerror: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`)
    if (error.code === 'internal' && cause instanceof Error) process.stderr.write(`${cause.stack ?? ''}\n`)
    process.exitCode = error.code === 'bad-request' ? 2 : 1
  } finally {
    process.off('SIGINT', cancel).off('SIGTERM', cancel)
  }
}

/** Rows as aligned columns; numbers are given as text. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')
  return [line(header), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

/** 2733344 → "2.73 MB". */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value.toFixed(0) : value.toPrecision(3)} ${units[power] ?? ''}`
}
