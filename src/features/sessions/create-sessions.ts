import { randomBytes } from 'node:crypto'
import { startSweeper } from '../../storage/index.ts'
import { createBackground } from './background.ts'
import { createCache } from './cache.ts'
import { expiredCookie } from './cookie.ts'
import { cookieDomains, domainFinder } from './cookie-domain.ts'
import { createEndings } from './endings.ts'
import { createLastSeen } from './last-seen.ts'
import { createLinked } from './linked.ts'
import { createRaise } from './raise.ts'
import { createRecognition } from './recognise.ts'
import { createRecords } from './record.ts'
import { createRepository, type Repository } from './repository.ts'
import { createRevocation } from './revocation.ts'
import { createRows } from './rows.ts'
import { isAlive, type Session } from './session.ts'
import type { Sessions, SessionsOptions } from './sessions.ts'
import { createStart } from './start.ts'

/** No other process writes to the store. */
const ALWAYS = { until: Number.POSITIVE_INFINITY }

/** Puts the parts of this feature together, and wires them to the users and to the changes of the store. */
export function createSessions(options: SessionsOptions): Sessions {
  const { store, users, clock, log, random = randomBytes, cacheSize = 100_000 } = options
  const domains = cookieDomains(options.config)
  const byName = new Map(domains.map((domain) => [domain.domain, domain]))
  const domainNamed = (name: string) => byName.get(name)

  const endings = createEndings()
  const cache = createCache(cacheSize)
  const lastSeen = createLastSeen({
    domains,
    write: (sessions) => repository.touch(sessions),
    failed: (error) => log.error({ err: error }, 'the last use of sessions could not be stored'),
  })
  const rows = createRows({ records: createRecords(options.secrets), domainNamed, endings, log })
  const repository: Repository = createRepository({ store, cache, rows, lastSeen })
  const linked = createLinked({ repository, isSingle: domains.length === 1 })
  const { onRemoved } = options
  const revocation = createRevocation({ repository, endings, linked, clock, onRemoved })
  const parts = { repository, domainNamed, endings, linked, users, clock, random }
  const { start, link } = createStart({ ...parts, revokeUser: revocation.endUser })
  const { raise, elevate } = createRaise(parts)
  const background = createBackground(log)

  const stopSweeper = startSweeper({
    async sweep(limit) {
      await revocation.endPending()
      return repository.sweep(clock.now(), limit)
    },
    failed: (error) => log.error({ err: error }, 'sessions that are over could not be removed'),
  })
  store.changes?.onChange({
    ended: cache.doubt,
    ownersEnded: cache.doubtOwners,
    lost: cache.doubtAll,
  })
  users.onInvalidated((names) => {
    background.run(
      revocation.endRemoved(names),
      'the sessions of removed users are not deleted yet',
    )
  })

  const isAliveNow = (session: Session): boolean => {
    const domain = domainNamed(session.domain)
    return domain !== undefined && isAlive(session, domain, clock.now())
  }

  return {
    domains,
    domainOf: domainFinder(domains),
    identify: createRecognition({
      cache,
      trust: store.changes?.trust ?? ALWAYS,
      shared: store.changes !== undefined,
      read: repository.read,
      // No request has to wait for it: the rules refuse the session whether the store still has it or not.
      end: ({ key }) =>
        background.run(repository.drop([key]), 'a session that is over could not be removed'),
      used: lastSeen.note,
      users,
      clock,
    }),
    start,
    link,
    raise,
    elevate,
    revoke: revocation.endByKey,
    end: async (values, domain) => (await revocation.endCarried(values, domain)).filter(isAliveNow),
    revokeUser: revocation.endUser,
    revokeById: revocation.endById,
    list: async (user) =>
      (await repository.findAll(user)).filter(isAliveNow).sort((a, b) => b.createdAt - a.createdAt),
    expireCookie: expiredCookie,
    async close() {
      stopSweeper()
      await lastSeen.close()
      await background.settle()
    },
  }
}
