/** @file Name and version of the program, as written into every file it makes. */
import packageJson from '../../package.json' with { type: 'json' }

export const tool = `${packageJson.name} ${packageJson.version}`
