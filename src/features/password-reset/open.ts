import type { Secret } from '../../kernel/secret.ts'
import type { Notifier } from '../notify/index.ts'
import type { PasswordResetSettings, ResetPasswordSettings } from './manifest.ts'
import { createPasswordReset, type PasswordReset, type PasswordResetOptions } from './reset.ts'

type Config = {
  readonly 'authentication_backend.password_reset': PasswordResetSettings
  readonly 'identity_validation.reset_password': ResetPasswordSettings
}

/** Where a user who has forgotten the password goes; undefined: nowhere, and no page has a link. */
export function forgottenPath(
  {
    config,
    passwordReset,
  }: {
    readonly config: Pick<Config, 'authentication_backend.password_reset'>
    readonly passwordReset: PasswordReset | undefined
  },
  base: string,
): string | undefined {
  const { disable, custom_url: elsewhere } = config['authentication_backend.password_reset']
  if (disable) return undefined
  return elsewhere ?? (passwordReset && `${base}/reset-password`)
}

/**
 * Where a password can be reset here: not switched off, not another service's, with a way to the user and a backend that takes
 * passwords. Elsewhere nothing is opened, and no secret is made.
 */
export async function openPasswordReset({
  config,
  notifier,
  secret,
  ...tools
}: Omit<PasswordResetOptions, 'config' | 'notifier' | 'secret'> & {
  readonly config: Config
  /** Undefined without the section `notifier`. */
  readonly notifier: Notifier | undefined
  /** The one of the data directory, where none is configured. */
  readonly secret: () => Secret
}): Promise<PasswordReset | undefined> {
  const { disable, custom_url: elsewhere } = config['authentication_backend.password_reset']
  if (disable || elsewhere !== undefined) return undefined
  if (notifier === undefined || !tools.users.takesPasswords) return undefined
  const settings = config['identity_validation.reset_password']
  return createPasswordReset({
    ...tools,
    notifier,
    config: settings,
    secret: settings.jwt_secret ?? secret(),
  })
}
