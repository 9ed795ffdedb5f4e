import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Not to be written anywhere; what Electron may be asked for only in one place is named with that place. */
const syntax = [
  { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' },
  { selector: "MemberExpression[object.name='ipcMain']", message: 'Every message goes through main/ipc.ts, which checks the sender.' },
  { selector: "MemberExpression[property.name='sendSync']", message: 'The page never waits for main.' },
]

/** Imports point one way: contract ← everything; kernels ← engine ← cli, main (main by messages only). */
const layers = [
  { files: ['electron/contract/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/kernels/**', '**/renderer/**', 'node:*'] },
  { files: ['electron/engine/**', 'kernels/**'], never: ['**/main/**', '**/cli/**', '**/preload/**', '**/renderer/**'] },
  { files: ['electron/cli/**'], never: ['**/main/**', '**/preload/**', '**/renderer/**'] },
  { files: ['electron/main/**'], never: ['**/engine/**', '**/cli/**', '**/renderer/**', '**/kernels/**'] },
  { files: ['electron/preload/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/renderer/**', '**/kernels/**'] },
  { files: ['renderer/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/preload/**', '**/kernels/**', 'node:*'] },
]

const oneWay = (group) => ({ group: [group], message: 'Imports point one way (eslint.config.js).' })
/** The renderer sees the contract's types only: its schemas, and zod with them, stay in main. The table of commands, the comparison of settings, the usual training and the request with less memory are plain. */
const typesOnly = { group: ['**/contract/*', '!**/contract/commands.ts', '!**/contract/measured-with.ts', '!**/contract/usual-training.ts', '!**/contract/less-memory.ts'], allowTypeImports: true, message: 'The renderer imports types of the contract only.' }

function restrictions(files, never) {
  const electron = files.startsWith('electron/main')
    ? [{ name: 'electron', importNames: ['ipcMain'], message: 'Only main/ipc.ts handles messages.' }]
    : files.startsWith('electron/preload') ? [] : [{ name: 'electron', message: 'Only main/ and preload/ import electron.' }]
  return { paths: electron, patterns: [...never.map(oneWay), ...(files.startsWith('renderer') ? [typesOnly, { group: ['zod'], message: 'Schemas stay in main.' }] : [])] }
}

/** Rules that read one file at a time; `electron/eslint.types.js` adds those that need the types of all. */
export default tseslint.config(
  { ignores: ['node_modules', '.vite', 'out', 'kernels/build', 'e2e/artifacts', '**/eslint.*.js'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-syntax': ['error', ...syntax],
    },
  },
  ...layers.map(({ files, never }) => ({ files, ignores: ['**/*.test.ts', '**/*.test.tsx'], rules: { '@typescript-eslint/no-restricted-imports': ['error', restrictions(files[0], never)] } })),
  { files: ['e2e/host/**'], rules: { 'no-restricted-syntax': ['error', ...syntax.filter(({ selector }) => !selector.includes('ipcMain'))] } }, // what stands in for Electron is Electron's side of the messages
  { // app.ts hands ipcMain to ipc.ts, and can do nothing else with it
    files: ['electron/main/app.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: layers[3].never.map(oneWay) }] },
  },
)
