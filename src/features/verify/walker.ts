import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import { type Access, anonymous, type Decision } from '../access/index.ts'
import { cookieValues, type Identity, type Sessions } from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import type { Endpoint } from './endpoints.ts'
import type { Presented } from './identity.ts'
import { createReadWalk, type ReadWalkOptions } from './read-walk.ts'
import type { KnownUser, Walk } from './walk.ts'

export interface Walker {
  /**
   * Target, cookie domain, portal, and last the peer: the first that fails is the answer.
   * @param url the request target below the base path, as sent
   * @throws AppError VERIFY_MALFORMED, VERIFY_MALFORMED_LEGACY, VERIFY_PEER_UNTRUSTED
   */
  read(endpoint: Endpoint, request: IncomingMessage, url: string): Walk
  /** The session cookie's user. @throws AppError STORE_UNAVAILABLE, or rejects with it */
  identify(walk: Walk): Identity | undefined | Promise<Identity | undefined>
  /** What the rules say for a user, or for an anonymous request. */
  decide(walk: Walk, user: KnownUser | undefined): Decision
}

export function createWalker({
  access,
  sessions,
  peers,
  present,
  log,
}: ReadWalkOptions & {
  readonly access: Access
  readonly sessions: Sessions
  readonly present: (profile: Profile | undefined) => Presented
  readonly log: Logger
}): Walker {
  /** A rule that admits every request needs no session store; anything else waits for it. */
  const withoutStore = ({ target }: Walk, error: unknown): undefined => {
    if (access.verdict(anonymous, target).policy === 'bypass') return undefined
    throw error
  }

  return {
    read: createReadWalk({ sessions, peers, log }),

    identify(walk) {
      const { cookies } = walk.fields
      const values: string[] = []
      for (const header of cookies) cookieValues(header, walk.domain.name, values)
      if (values.length === 0) {
        walk.reason = 'no-cookie'
        return undefined
      }
      const note = log.isLevelEnabled('debug')
        ? (reason: VerifyReason) => {
            walk.reason = reason
          }
        : undefined
      try {
        const found = sessions.identify(values, walk.domain, note)
        return found instanceof Promise ? found.catch((error) => withoutStore(walk, error)) : found
      } catch (error) {
        return withoutStore(walk, error)
      }
    },

    decide({ target }, user) {
      if (user === undefined) return access.decide(anonymous, 0, target)
      const decision = access.decide(present(user.profile).subject, user.level, target)
      // The portal leads to the page for it. What is open to every client stays open.
      return mustChange(user.profile) && decision.kind === 'allow' && !isOpen(decision)
        ? { kind: 'step-up', need: 1, verdict: decision.verdict }
        : decision
    },
  }
}

const mustChange = ({ mustChangePassword }: Profile): boolean => mustChangePassword === true
const isOpen = ({ verdict }: Decision): boolean => verdict.policy === 'bypass'
