/** @file `electron.utilityProcess`: a forked Node process; ports are relayed by name. */
import { fork, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { app } from './app.ts'
import { Relay, type MessagePortMain } from './ports.ts'
import { emitter, fields, text } from './strict.ts'

interface ForkOptions { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly stdio?: 'pipe' | 'ignore' | 'inherit'; readonly serviceName?: string }

class UtilityProcess extends emitter('UtilityProcess') {
  private readonly child: ChildProcess
  private readonly relay = new Relay((id, data) => { this.child.send({ id, data }) })

  constructor(module: string, args: readonly string[], { env, cwd, stdio = 'inherit', serviceName = 'Node Utility Process' }: ForkOptions) {
    super()
    this.child = fork(module, args, {
      ...(env && { env }), ...(cwd !== undefined && { cwd }), serialization: 'advanced', stdio: ['ignore', stdio, stdio, 'ipc'],
      execArgv: ['--import', new URL('./utility.ts', import.meta.url).href],
    })
    const { pid = 0 } = this.child
    app.utilities.set(pid, serviceName)
    this.child.on('spawn', () => { this.emit('spawn') })
    this.child.on('exit', (code, signal) => {
      app.utilities.delete(pid)
      this.emit('exit', code ?? (signal === null ? 0 : constants.signals[signal])) // as waitpid has it
    })
    this.child.on('message', (message) => {
      const { id, data } = fields(message)
      if (id === undefined) this.emit('message', data)
      else this.relay.receive(text(id), data)
    })
    process.on('exit', () => { this.child.kill('SIGKILL') })
  }
  get pid(): number | undefined { return this.child.exitCode === null && this.child.signalCode === null ? this.child.pid : undefined }
  get stdout(): Readable | null { return this.child.stdout }
  get stderr(): Readable | null { return this.child.stderr }
  postMessage(data: unknown, transfer: readonly MessagePortMain[] = []): void {
    if (this.child.connected) this.child.send({ data, ports: transfer.map((port) => this.relay.export(port)) })
  }
  kill(): boolean { return this.child.kill() }
}

export const utilityProcess = { fork: (module: string, args: readonly string[] = [], options: ForkOptions = {}) => new UtilityProcess(module, args, options) }
