import type { Logger } from 'pino'
import { anonymous, type Subject } from '../access/index.ts'
import type { Profile } from '../users/index.ts'

/** Names of the identity headers, and what joins the groups. */
export interface IdentityHeaders {
  readonly user: string
  readonly groups: string
  readonly name: string
  readonly email: string
  readonly separator: string
}

/** The head of a verify 200 as Node wrote it, for as long as its `Date` is true. */
export interface AllowedHead {
  text: string
  /** Seconds since the epoch. */
  second: number
}

/** A user as the rules see them and as the app behind the proxy will. */
export interface Presented {
  readonly subject: Subject
  /** A flat list of names and values, ready to be written: `['Remote-User', 'john', …]`. */
  readonly headers: readonly string[]
  /** The same as the last 200 sent it. */
  readonly head: AllowedHead
}

/**
 * The headers of a verify 200: always all four names, empty when there is nothing to say, so that the proxy
 * overwrites what a client sent (advisory 39). One flat list per profile, made once: a profile keeps its identity for
 * as long as nothing about the user changes.
 */
export function createIdentity(
  names: IdentityHeaders,
  log: Logger,
): (profile: Profile | undefined) => Presented {
  const known = new WeakMap<Profile, Presented>()
  const reported = new Set<string>()

  const groupsOf = (profile: Profile): string =>
    profile.groups
      .filter((group) => {
        if (!group.includes(names.separator)) return true
        if (!reported.has(group) && reported.size < 1000) {
          reported.add(group)
          log.warn(
            { group },
            `a group name contains ${JSON.stringify(names.separator)} and is left out of ${names.groups}`,
          )
        }
        return false
      })
      .join(names.separator)

  const listOf = (user: string, groups: string, name: string, email: string): readonly string[] => [
    names.user,
    headerValue(user),
    names.groups,
    headerValue(groups),
    names.name,
    headerValue(name),
    names.email,
    headerValue(email),
    'Cache-Control',
    'no-store',
    'Content-Length',
    '0',
  ]
  const anonymousUser: Presented = {
    subject: anonymous,
    headers: listOf('', '', '', ''),
    head: noHead(),
  }

  return (profile) => {
    if (profile === undefined) return anonymousUser
    let presented = known.get(profile)
    if (presented === undefined) {
      presented = {
        subject: { user: profile.name, groups: profile.groups, clientId: '' },
        headers: listOf(profile.name, groupsOf(profile), profile.displayName, profile.email),
        head: noHead(),
      }
      known.set(profile, presented)
    }
    return presented
  }
}

const noHead = (): AllowedHead => ({ text: '', second: -1 })

/** UTF-8 bytes, one character a byte as Node writes headers; control characters removed. */
export function headerValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  const clean = text.replace(/[\x00-\x1f\x7f-\x9f]/g, '')
  return Buffer.from(clean, 'utf8').toString('latin1')
}
