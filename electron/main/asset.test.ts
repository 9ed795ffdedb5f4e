/** Rows 2, 3 and 12: no remote content, the policy, no eval. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { contentSecurityPolicy, resolveAsset } from './asset.ts'

const root = path.resolve('/srv/halftone/page')

test.each([
  ['app://halftone/index.html', 'index.html'],
  ['app://halftone/assets/a%20b.js', 'assets/a b.js'],
  ['app://halftone/assets/a.js?v=1#x', 'assets/a.js'],
])('%s is %s', (url, file) => {
  expect(resolveAsset(root, url)).toBe(path.join(root, file))
})

test.each([
  'app://halftone/', 'app://halftone/..%2f..%2fetc/passwd', 'app://halftone/%2e%2e/%2e%2e/etc/passwd', 'app://halftone/..%5c..%5cwindows', 'app://halftone/a%00.html',
  'app://other/index.html', 'https://halftone/index.html', 'file:///etc/passwd',
])('%s is refused or stays inside', (url) => {
  const file = resolveAsset(root, url)
  expect(file === undefined || file.startsWith(root + path.sep)).toBe(true)
})

test('a sibling folder with the same prefix is not inside', () => {
  expect(resolveAsset(root, 'app://halftone/..%2fpage-secret/x')?.startsWith(`${root}-secret`) ?? false).toBe(false)
})

test('a bad percent code throws', () => {
  expect(() => resolveAsset(root, 'app://halftone/%zz')).toThrow()
})

test('nothing is allowed that is not listed, and no script or style from text', () => {
  expect(contentSecurityPolicy).toContain("default-src 'none'")
  expect(contentSecurityPolicy).not.toMatch(/unsafe|https?:|\*/)
  for (const rule of ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]) expect(contentSecurityPolicy).toContain(rule)
})
