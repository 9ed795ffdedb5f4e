/** @file The engine's process in Electron: a utility process, so that a native crash ends it and nothing else. */
import { utilityProcess } from 'electron'
import type { FromEngine } from '../contract/wire.ts'
import { cleanEnv } from './clean-env.ts'
import type { EngineProcess } from './engine-host.ts'

const keptCharacters = 4000

/** `kernels` is the folder of halftone.node; the runtime's library is found beside onnxruntime-node. */
export function startEngineProcess(worker: string, env: Readonly<Record<string, string>>): EngineProcess {
  const child = utilityProcess.fork(worker, [], {
    serviceName: 'Halftone engine', stdio: 'pipe', env: cleanEnv(process.env, { ORT_DISABLE_TELEMETRY: '1', ...env }),
  })
  let words = ''
  const hear = (data: unknown): void => { words = (words + String(data)).slice(-keptCharacters) }
  child.stdout?.on('data', hear)
  child.stderr?.on('data', hear)
  return {
    postMessage: (message) => { child.postMessage(message) },
    onMessage: (listener) => { child.on('message', (message: FromEngine) => { listener(message) }) },
    onExit: (listener) => { child.on('exit', listener) },
    // The engine may be stuck in native code, where it cannot answer a polite signal.
    kill: () => { if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL') },
    lastWords: () => words,
  }
}
