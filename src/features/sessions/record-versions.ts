import { z } from 'zod'
import type { EpochMs } from '../../kernel/clock.ts'
import { FACTOR_KINDS, type Factor } from './factors.ts'
import type { Session } from './session.ts'

/**
 * The plain text of a session's record: a JSON array whose first element is the version. Fields go by position: names
 * would be half of what is stored.
 *
 * Rolling upgrades: while instances of two releases share a store, each has to read what the other writes. A decoder stays
 * in the table for as long as records of its version may live. A new version is written only for what the previous one
 * cannot say; every other session is written in the form that the previous release reads. A record that only the new
 * version can hold (a second factor, an elevation) is no session to the previous release, which leaves it in place.
 *
 * | version | since | what is new |
 * |---|---|---|
 * | 1 | the first | |
 * | 2 | 026 one login for several domains | `login`; before, each session is a sign-in of its own |
 * | 3 | levels can rise | the time of each factor, more kinds of factors, `elevatedUntil` |
 *
 * Decoders take exactly their fields. One that ignored what it does not know would drop it with the next write of the last
 * use, and what it does not know may be a restriction.
 */
type Decoder = (record: unknown, about: About) => Session | undefined

/** What stands beside the record, and is bound to it. */
type About = Pick<Session, 'id' | 'key'>

const time = z
  .int()
  .nonnegative()
  // We wrote it as a time; JSON has no brands.
  .transform((ms) => ms as EpochMs)
const text = z.string()
const name = z.string().min(1)
const flag = z.literal([0, 1]).transform((bit) => bit === 1)

/** Of versions 1 and 2: the password was the only kind, shown when the session began. */
const passwords = z.array(z.literal('password')).min(1)
const beforeLogin = [text, name, passwords, time, time, flag, time, text, text] as const
const record1 = z.tuple([z.literal(1), ...beforeLogin])
const record2 = z.tuple([z.literal(2), ...beforeLogin, name])

const factor = z
  .tuple([z.enum(FACTOR_KINDS), time])
  .transform(([kind, at]): Factor => ({ kind, at }))
const record3 = z.tuple([
  z.literal(3),
  text, // domain
  name, // user
  z.array(factor).min(1),
  time, // createdAt
  time, // expiresAt
  flag, // remembered
  time, // lastSeen
  text, // address
  text, // userAgent
  name, // login
  time.nullable(), // elevatedUntil
])

const DECODERS: ReadonlyMap<unknown, Decoder> = new Map<unknown, Decoder>([
  [1, decodeFirst],
  [2, decodeSecond],
  [3, decodeThird],
])

/**
 * @param plain what was sealed, by any release
 * @returns undefined when it is no record, or one of a version that this release does not know
 */
export function decodeRecord(plain: string, about: About): Session | undefined {
  const record = parseJson(plain)
  return Array.isArray(record) ? DECODERS.get(record[0])?.(record, about) : undefined
}

/** The session in the oldest version that loses nothing of it. */
export function encodeRecord(session: Session): string {
  const { factors, createdAt, elevatedUntil } = session
  const isPlain = factors.every(({ kind, at }) => kind === 'password' && at === createdAt)
  const fits2 = isPlain && elevatedUntil === undefined
  return JSON.stringify([
    fits2 ? 2 : 3,
    session.domain,
    session.user,
    factors.map(({ kind, at }) => (fits2 ? kind : [kind, at])),
    createdAt,
    session.expiresAt,
    session.remembered ? 1 : 0,
    session.lastSeen,
    session.address,
    session.userAgent,
    session.login,
    ...(fits2 ? [] : [elevatedUntil ?? null]),
  ])
}

function decodeFirst(record: unknown, about: About): Session | undefined {
  const { success, data } = record1.safeParse(record)
  if (!success) return undefined
  const [, ...fields] = data
  return ofPasswords([...fields, about.id], about)
}

function decodeSecond(record: unknown, about: About): Session | undefined {
  const { success, data } = record2.safeParse(record)
  if (!success) return undefined
  const [, ...fields] = data
  return ofPasswords(fields, about)
}

function ofPasswords(
  fields: z.infer<typeof record2> extends [unknown, ...infer Fields] ? Fields : never,
  { id, key }: About,
): Session {
  const [domain, user, , createdAt, expiresAt, remembered, lastSeen, address, userAgent, login] =
    fields
  return {
    id,
    key,
    domain,
    login,
    user,
    factors: [{ kind: 'password', at: createdAt }],
    createdAt,
    expiresAt,
    remembered,
    address,
    userAgent,
    elevatedUntil: undefined,
    lastSeen,
  }
}

function decodeThird(record: unknown, { id, key }: About): Session | undefined {
  const { success, data } = record3.safeParse(record)
  if (!success) return undefined
  const [, domain, user, factors, createdAt, expiresAt, remembered, lastSeen, ...rest] = data
  const [address, userAgent, login, elevatedUntil] = rest
  return {
    id,
    key,
    domain,
    login,
    user,
    factors,
    createdAt,
    expiresAt,
    remembered,
    address,
    userAgent,
    elevatedUntil: elevatedUntil ?? undefined,
    lastSeen,
  }
}

/** What a later release sealed may be anything. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
