/** @file Where this user's machine keeps what can be measured again: the platform's folder for caches. */
import os from 'node:os'
import path from 'node:path'

/** The program's folder for caches; it need not be there yet. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  const home = os.homedir()
  switch (platform) {
    case 'win32': return path.join(environment.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'), 'Halftone', 'Cache')
    case 'darwin': return path.join(home, 'Library', 'Caches', 'Halftone')
    default: return path.join(environment.XDG_CACHE_HOME ?? path.join(home, '.cache'), 'halftone')
  }
}
