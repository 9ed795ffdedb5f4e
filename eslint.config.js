import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** Imports point one way: contract ← everything; kernels ← engine ← cli, main (main by messages only). */
const layers = [
  { files: ['electron/contract/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/kernels/**', '**/renderer/**', 'node:*'] },
  { files: ['electron/engine/**', 'kernels/**'], never: ['**/main/**', '**/cli/**', '**/preload/**', '**/renderer/**'] },
  { files: ['electron/cli/**'], never: ['**/main/**', '**/preload/**', '**/renderer/**'] },
  { files: ['electron/main/**'], never: ['**/engine/**', '**/cli/**', '**/renderer/**', '**/kernels/**'] },
  { files: ['electron/preload/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/renderer/**', '**/kernels/**'] },
  { files: ['renderer/**'], never: ['**/engine/**', '**/main/**', '**/cli/**', '**/preload/**', '**/kernels/**', 'node:*'] },
]

export default tseslint.config(
  { ignores: ['node_modules', '.vite', 'out', 'kernels/build', 'e2e/artifacts', 'eslint.config.js'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  {
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // typed-array loops and hostile files: the check is wanted where the type says it is not needed
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'String unions, no enums.' }],
    },
  },
  ...layers.map(({ files, never }) => ({
    files,
    ignores: ['**/*.test.ts', '**/*.test.tsx'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { ...(/main|preload/.test(files[0]) ? {} : { paths: [{ name: 'electron', message: 'Only main/ and preload/ import electron.' }] }), patterns: never.map((group) => ({ group: [group], message: 'Imports point one way (eslint.config.js).' })) }] },
  })),
)
