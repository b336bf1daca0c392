import type { BaseLogger } from 'pino'
import type { CookieDomain } from './cookie-domain.ts'
import type { Endings } from './endings.ts'
import type { Records } from './record.ts'
import { forgettableAt, type Session } from './session.ts'
import type { StoredSession } from './store.ts'

/** Sessions as rows of a store, and back. */
export interface Rows {
  seal(session: Session): StoredSession
  /** @returns undefined when the row does not open, or its user's sessions are to end */
  open(row: StoredSession): Session | undefined
  /** As `Records.owners`. */
  owners(user: string): readonly string[]
}

export function createRows({
  records,
  domainNamed,
  endings,
  log,
}: {
  readonly records: Records
  readonly domainNamed: (name: string) => CookieDomain | undefined
  readonly endings: Pick<Endings, 'covers'>
  readonly log: Pick<BaseLogger, 'warn'>
}): Rows {
  let warned = false
  return {
    owners: records.owners,
    seal(session) {
      const domain = domainNamed(session.domain)
      const until = domain === undefined ? session.expiresAt : forgettableAt(session, domain)
      return records.seal(session, until)
    },
    open(row) {
      const session = records.open(row)
      if (session !== undefined) return endings.covers(session) ? undefined : session
      // It stays where it is: after a mistake with the secret, putting the old one back brings all sessions back.
      if (!warned) {
        log.warn(
          'a stored session could not be opened and counts as none: session.secret was changed, a later release wrote it, or the store was tampered with (said once)',
        )
      }
      warned = true
      return undefined
    },
  }
}
