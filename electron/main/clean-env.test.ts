/** Row 13: child processes get a cleaned environment. */
import { expect, test } from 'vitest'
import { cleanEnv } from './clean-env.ts'

test('variables that make a child run other code are gone, the rest stays', () => {
  const given = {
    PATH: '/usr/bin', HOME: '/home/x', NODE_OPTIONS: '--require /tmp/x.js', NODE_PATH: '/tmp', ELECTRON_RUN_AS_NODE: '1', LD_PRELOAD: '/tmp/x.so', DYLD_INSERT_LIBRARIES: '/tmp/x.dylib', npm_config_x: '1',
  }
  expect(cleanEnv(given, { ORT_DISABLE_TELEMETRY: '1' })).toEqual({ PATH: '/usr/bin', HOME: '/home/x', ORT_DISABLE_TELEMETRY: '1' })
})
