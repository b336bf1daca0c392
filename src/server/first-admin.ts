import type { Audit } from '../features/audit/index.ts'
import { approveUnchecked } from '../features/passwords/index.ts'
import type { Sessions } from '../features/sessions/index.ts'
import type { Users } from '../features/users/index.ts'
import type { Config } from '../features.ts'
import type { DataDirectory } from '../files/data-directory.ts'
import { AppError } from '../kernel/errors.ts'
import type { Log } from '../log/index.ts'
import { firstStartBanner, randomPassword, resetAdminBanner } from './first-start.ts'

/**
 * The first start makes an administrator (requirement 24); `reset_admin_password` gives it a new password (requirement 25).
 *
 * The password is shown before it is stored: a kill in between costs a password that opens nothing, and the next start
 * makes another. The other way round it would cost the way in.
 */
export async function admitAdmin({
  config,
  users,
  sessions,
  data,
  usersFile,
  audit,
  log,
  say,
}: {
  readonly config: Config
  readonly users: Users
  readonly sessions: Sessions
  readonly data: Pick<DataDirectory, 'path'>
  readonly usersFile: string
  readonly audit: Pick<Audit, 'record'>
  readonly log: Log['log']
  readonly say: (text: string) => void
}): Promise<void> {
  const first = users.isEmpty()
  if (!first && !config['reset_admin_password']) return
  const password = randomPassword()
  const approved = approveUnchecked(password, 'generated')
  const admin = { displayName: 'Administrator', groups: config['admin'].groups, password: approved }
  const about = { user: 'admin', actor: 'operator' } as const
  if (first) {
    const [domain] = sessions.domains
    say(
      firstStartBanner({
        password,
        portalUrl: domain?.portalUrl?.href ?? '',
        dataDirectory: data.path,
      }),
    )
    await users.add('admin', admin)
    audit.record('user.added', { ...about, details: { reason: 'first-start' } })
    return
  }
  say(resetAdminBanner({ password, usersFile }))
  try {
    await users.setPassword('admin', approved)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'USER_UNKNOWN') throw error
    await users.add('admin', admin)
  }
  audit.record('password.changed', { ...about, details: { reason: 'reset_admin_password' } })
  await sessions.revokeUser('admin')
  log.warn('the password of admin was reset; take reset_admin_password out of the configuration')
  // It may have been disabled on purpose. An operator who is locked out reads here what is left to do.
  if ((await users.profile('admin')) === undefined)
    log.warn({ file: usersFile }, 'admin is disabled: take that out of the users file to sign in')
}
