/**
 * @file Signing, from the environment alone: without these variables a package is built unsigned, and says so.
 *
 * macOS: CSC_NAME (the identity); APPLE_API_KEY (a .p8 file), APPLE_API_KEY_ID, APPLE_API_ISSUER to notarize.
 * Windows: WIN_CSC_LINK (a .pfx file) and WIN_CSC_KEY_PASSWORD, or WIN_SIGN_PARAMETERS (what signtool gets, for a cloud key).
 * These are the names electron-builder reads too, which signs the installer around the app.
 */
import type { ForgePackagerOptions } from '@electron-forge/shared-types'

type Signing = Pick<ForgePackagerOptions, 'osxSign' | 'osxNotarize' | 'windowsSign'>
type Environment = Readonly<Record<string, string | undefined>>

/** The packager's options for what `env` has, or nothing. */
export function signing(env: Environment, platform: NodeJS.Platform): Signing {
  if (platform === 'darwin') return macSigning(env)
  if (platform === 'win32') return windowsSigning(env)
  return {}
}

function macSigning({ CSC_NAME: identity, APPLE_API_KEY: appleApiKey, APPLE_API_KEY_ID: appleApiKeyId, APPLE_API_ISSUER: appleApiIssuer }: Environment): Signing {
  if (!identity) return {}
  const canNotarize = appleApiKey && appleApiKeyId && appleApiIssuer
  return { osxSign: { identity }, ...(canNotarize && { osxNotarize: { appleApiKey, appleApiKeyId, appleApiIssuer } }) }
}

function windowsSigning({ WIN_CSC_LINK: certificateFile, WIN_CSC_KEY_PASSWORD: certificatePassword, WIN_SIGN_PARAMETERS: signWithParams }: Environment): Signing {
  if (signWithParams) return { windowsSign: { signWithParams } }
  return certificateFile && certificatePassword ? { windowsSign: { certificateFile, certificatePassword } } : {}
}
