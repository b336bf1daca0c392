import { createHmac, hash, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { EpochMs } from '../../kernel/clock.ts'
import { createSealer, deriveKey } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import { FACTORS, type Session } from './session.ts'
import type { StoredSession } from './stores/index.ts'

const VERSION = 2
/** 128 bits are enough for an index that nobody can aim at. */
const OWNER_BYTES = 16

const time = z.int().nonnegative()
/** By position: names would be half of what is stored. A change of meaning takes a new version. */
const fields = [
  z.string(), // domain
  z.string().min(1), // user
  z.array(z.enum(FACTORS)).min(1), // factors
  time, // createdAt
  time, // expiresAt
  z.literal([0, 1]), // remembered
  time, // lastSeen
  z.string(), // address
  z.string(), // userAgent
] as const
const record = z.tuple([z.literal(VERSION), ...fields, z.string().min(1) /* login */])
/** Of before there were sessions that belong together: each is a sign-in of its own. */
const firstRecord = z.tuple([z.literal(1), ...fields])
const anyRecord = z.union([record, firstRecord])

/** Between a session and what a store gets to see of it (measure 18). */
export interface Records {
  seal(session: Session, expiresAt: EpochMs): StoredSession
  /** @returns undefined when it was tampered with, truncated, moved to another key, or sealed with a secret we lack */
  open(stored: StoredSession): Session | undefined
  /**
   * What a user's sessions may be indexed by: one token for each secret of the ring, the current one first. A session
   * is indexed by the token of the secret that sealed it last.
   */
  owners(user: string): readonly string[]
}

/** @param secrets the ring: the first seals, all of them open */
export function createRecords(secrets: readonly Secret[]): Records {
  const sealer = createSealer(secrets, 'session')
  const ownerKeys = secrets.map((secret) => deriveKey(secret, 'session-owner'))
  const owners = (user: string) => ownerKeys.map((key) => ownerToken(key, user))
  return {
    owners,
    seal(session, expiresAt) {
      const [owner = ''] = owners(session.user)
      const place = placeOf(session.key, session.id, owner)
      const sealed = sealer.seal(Buffer.from(JSON.stringify(encode(session))), place)
      return { key: session.key, id: session.id, owner, sealed, expiresAt }
    },
    open(stored) {
      const plain = sealer.open(stored.sealed, placeOf(stored.key, stored.id, stored.owner))
      if (plain === undefined) return undefined
      const parsed = anyRecord.safeParse(parseJson(plain.toString()))
      return parsed.success ? decode(parsed.data, stored) : undefined
    },
  }
}

/**
 * The store's key for a cookie's value. Only this hash is kept in stores, records and lists: what leaks from them cannot be
 * sent as a cookie. In memory, values in use are remembered too (known-values.ts). No salt: 256 random bits are not
 * guessed.
 */
export function keyOf(value: string): string {
  return hash('sha256', value, 'base64url')
}

/** Everything in clear that steers who is revoked is part of the place: a row put together from two opens no more. */
const placeOf = (key: string, id: string, owner: string): string => `session/${key}/${id}/${owner}`

function ownerToken(key: KeyObject, user: string): string {
  return createHmac('sha256', key)
    .update(user)
    .digest()
    .subarray(0, OWNER_BYTES)
    .toString('base64url')
}

/** What a later version sealed may be anything. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function encode(session: Session): z.infer<typeof record> {
  return [
    VERSION,
    session.domain,
    session.user,
    [...session.factors],
    session.createdAt,
    session.expiresAt,
    session.remembered ? 1 : 0,
    session.lastSeen,
    session.address,
    session.userAgent,
    session.login,
  ]
}

function decode(
  [
    ,
    domain,
    user,
    factors,
    createdAt,
    expiresAt,
    remembered,
    lastSeen,
    address,
    userAgent,
    login,
  ]: z.infer<typeof anyRecord>,
  { key, id }: StoredSession,
): Session {
  return {
    id,
    key,
    domain,
    login: login ?? id,
    user,
    factors,
    // We sealed these as times; JSON has no brands.
    createdAt: createdAt as EpochMs,
    expiresAt: expiresAt as EpochMs,
    remembered: remembered === 1,
    address,
    userAgent,
    lastSeen: lastSeen as EpochMs,
  }
}
