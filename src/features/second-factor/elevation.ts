import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import {
  hasFactor as hasFactorKind,
  levelOf,
  type Session,
  type Sessions,
} from '../sessions/index.ts'
import type { ElevatedSessionSettings } from './manifest.ts'
import type { Elevation, ElevationMethod, MailedCodes, SecondFactor } from './method.ts'
import type { Report } from './report.ts'

export interface ElevationDependencies {
  readonly config: ElevatedSessionSettings
  readonly sessions: Pick<Sessions, 'elevate'>
  readonly factors: Pick<SecondFactor, 'available' | 'hasFactor'>
  /** Undefined: no code can be mailed. */
  readonly mailedCodes: Pick<MailedCodes, 'reaches'> | undefined
  readonly report: Report
  readonly clock: Clock
}

/** Milliseconds in which a factor that was shown at sign-in need not be shown again. */
const FRESH = 600_000

/**
 * Whether the owner of a session may change what the account is protected with. A user who has a second factor shows it; the
 * password alone is enough for a user who has none. What was shown a moment ago, at sign-in, counts.
 */
export function createElevation({
  config,
  sessions,
  factors,
  mailedCodes,
  report,
  clock,
}: ElevationDependencies): Elevation {
  const fresh = Math.min(FRESH, config.elevation_lifespan)

  return {
    async until({ session }) {
      const hasFactor = await factors.hasFactor(session.user)
      const level = levelOf(session)
      // Also where the password elevated the session before there was a factor.
      if (hasFactor && level < 2) return undefined
      const now = clock.now()
      const candidates: (EpochMs | undefined)[] = [session.elevatedUntil]
      if (hasFactor) {
        // A trusted device has shown nothing in this session.
        if (config.skip_second_factor && levelOf(shownBy(session)) === 2)
          candidates.push(session.expiresAt)
        candidates.push(
          shownUntil(session, fresh, (kind) => kind !== 'password' && kind !== TRUSTED),
        )
      }
      if (!hasFactor) candidates.push(shownUntil(session, fresh, () => true))
      const times = candidates.filter((time) => time !== undefined && time > now)
      // The latest of times is a time; arithmetic drops the brand.
      return times.length === 0 ? undefined : (Math.max(...times.map(Number)) as EpochMs)
    },

    async needsSecondFactor({ session }) {
      return levelOf(session) < 2 && (await factors.hasFactor(session.user))
    },

    async methods(identity, domain) {
      const { session } = identity
      const mail = mailedCodes?.reaches(identity) === true ? (['mail'] as const) : []
      if (!(await factors.hasFactor(session.user))) return ['password', ...mail]
      const available = await factors.available(session.user, domain)
      // Signed in without it: two possessions are one factor, and the password is the other.
      const lacksPassword = levelOf(session) < 2 && !hasFactorKind(session, 'password')
      if (lacksPassword) return ['password', ...available]
      // A code from a mailbox is no second factor: it does not stand in for one, and no trusted device makes it one.
      return levelOf(shownBy(session)) < 2 ? available : [...available, ...mail]
    },

    async grant(request, reply, { session }, method: ElevationMethod) {
      // A time plus a duration is a time; arithmetic drops the brand.
      const until = (clock.now() + config.elevation_lifespan) as EpochMs
      const elevated = await sessions.elevate({ key: session.key, until })
      if (elevated === undefined) throw new AppError('SIGN_IN_REQUIRED')
      reply.header('Set-Cookie', elevated.cookie)
      report.audit(request, 'session.elevated', { method })
    },
  }
}

const TRUSTED = 'trusted-device'
const shownBy = ({ factors }: Session) => ({
  factors: factors.filter(({ kind }) => kind !== TRUSTED),
})

/** Until when the newest of these factors is fresh. */
function shownUntil(
  { factors, expiresAt }: Session,
  fresh: number,
  counts: (kind: Session['factors'][number]['kind']) => boolean,
): EpochMs | undefined {
  const times = factors.filter(({ kind }) => counts(kind)).map(({ at }) => at + fresh)
  // The earlier of two times is a time; arithmetic drops the brand.
  return times.length === 0 ? undefined : (Math.min(Math.max(...times), expiresAt) as EpochMs)
}
