/** @file From a channel name and an unknown input to a typed handler and a `Result`. Knows no Electron. */
import { z } from 'zod'
import { api, type Channel, type Output, type Parsed } from '../contract/api.ts'
import { AppError, errorFields, type Result } from '../contract/errors.ts'

export type Handlers = { readonly [C in Channel]: (input: Parsed<C>) => Promise<Output<C>> }

const isChannel = (value: unknown): value is Channel => typeof value === 'string' && Object.hasOwn(api, value)

/** Never throws: bad channels, bad inputs and failing handlers all come back as `ok: false`. */
export async function dispatch(handlers: Handlers, channel: unknown, raw: unknown): Promise<Result<unknown>> {
  try {
    if (!isChannel(channel)) throw new AppError('bad-request', 'unknown channel')
    const input = api[channel].input.safeParse(raw)
    if (!input.success) throw new AppError('bad-request', `${channel}: ${z.prettifyError(input.error)}`)
    // The table is typed channel by channel; that the parsed input fits its own handler is known only to the type above.
    const handle = handlers[channel] as (parsed: unknown) => Promise<unknown>
    return { ok: true, value: await handle(input.data) }
  } catch (cause) {
    return { ok: false, error: errorFields(cause) }
  }
}
