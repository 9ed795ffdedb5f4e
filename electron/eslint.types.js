/** @file The rules that need types: they make the whole program anew, which takes minutes, so `lint` runs them and `check` does not. */
import path from 'node:path'
import tseslint from 'typescript-eslint'
import base from '../eslint.config.js'

export default tseslint.config(
  ...base,
  ...tseslint.configs.strictTypeCheckedOnly,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: path.dirname(import.meta.dirname) } } },
  {
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // typed-array loops and hostile files: the check is wanted where the type says it is not needed
    },
  },
)
