import type { Audit } from '../features/audit/index.ts'
import { approveUnchecked, randomPassword } from '../features/passwords/index.ts'
import type { Sessions } from '../features/sessions/index.ts'
import { ADMIN, setAdminPassword, type Users } from '../features/users/index.ts'
import type { Config } from '../features.ts'
import type { DataDirectory } from '../files/data-directory.ts'
import type { Log } from '../log/index.ts'
import { firstStartBanner, resetAdminBanner } from './first-start.ts'

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
  usersIn,
  audit,
  log,
  say,
}: {
  readonly config: Config
  readonly users: Users
  readonly sessions: Sessions
  readonly data: Pick<DataDirectory, 'path'>
  /** Where users are, for the operator: a file, or the database. */
  readonly usersIn: string
  readonly audit: Pick<Audit, 'record'>
  readonly log: Log['log']
  readonly say: (text: string) => void
}): Promise<void> {
  const first = users.isEmpty()
  if (!first && !config['reset_admin_password']) return
  const password = randomPassword()
  const approved = approveUnchecked(password, 'generated')
  const { groups } = config['admin']
  const about = { user: ADMIN, actor: 'operator' } as const
  if (first) {
    const [domain] = sessions.domains
    say(
      firstStartBanner({
        password,
        portalUrl: domain?.portalUrl?.href ?? '',
        dataDirectory: data.path,
      }),
    )
    await users.add(ADMIN, { displayName: 'Administrator', groups, password: approved })
    audit.record('user.added', { ...about, details: { reason: 'first-start' } })
    return
  }
  say(resetAdminBanner({ password, usersIn }))
  await setAdminPassword(users, approved, groups)
  audit.record('password.changed', { ...about, details: { reason: 'reset_admin_password' } })
  await sessions.revokeUser(ADMIN)
  log.warn('the password of admin was reset; take reset_admin_password out of the configuration')
  // It may have been disabled on purpose. An operator who is locked out reads here what is left to do.
  if ((await users.profile(ADMIN)) === undefined)
    log.warn('admin is disabled: `vestibule users enable admin` lets admin sign in again')
}
