/** @file An object with some fields replaced; a field given as undefined stays as it was. */
export function patched<T extends object>(base: T, patch: { readonly [K in keyof T]?: T[K] | undefined }): T {
  const result = { ...base }
  for (const key of Object.keys(patch) as (keyof T)[]) {
    const value = patch[key]
    if (value !== undefined) result[key] = value
  }
  return result
}
