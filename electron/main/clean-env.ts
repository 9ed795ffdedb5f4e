/** @file The environment child processes get: nothing that makes Node or a loader run other code. */

const dangerous = /^(NODE_OPTIONS|NODE_PATH|NODE_REPL_.*|NODE_EXTRA_CA_CERTS|ELECTRON_.*|LD_PRELOAD|LD_AUDIT|DYLD_.*|VITE_.*|npm_.*)$/i

/** A copy without such variables, with `extra` set. */
export function cleanEnv(env: NodeJS.ProcessEnv, extra: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !dangerous.test(entry[0]))
  return { ...Object.fromEntries(kept), ...extra }
}
