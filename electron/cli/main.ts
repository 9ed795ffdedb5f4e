/** @file The command line's entry: modules are compiled once and kept by Node, so that the next start takes a fraction of the time. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./program.ts')
