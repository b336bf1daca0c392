import { createHmac, type KeyObject } from 'node:crypto'
import type { EpochMs } from '../../kernel/clock.ts'
import { createSealer, deriveKey } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import { decodeRecord, encodeRecord } from './record-versions.ts'
import type { Session } from './session.ts'
import type { StoredSession } from './store.ts'

/** 128 bits are enough for an index whose tokens cannot be chosen. */
const OWNER_BYTES = 16

/** Between a session and what a store gets to see of it (requirement 18). */
export interface Records {
  seal(session: Session, expiresAt: EpochMs): StoredSession
  /**
   * @returns undefined when it was tampered with, truncated, moved to another key, sealed with a secret we lack, or
   *   written by a later release in a version that this one does not know
   */
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
      const sealed = sealer.seal(Buffer.from(encodeRecord(session)), place)
      return { key: session.key, id: session.id, owner, sealed, expiresAt }
    },
    open(stored) {
      const plain = sealer.open(stored.sealed, placeOf(stored.key, stored.id, stored.owner))
      if (plain === undefined) return undefined
      return decodeRecord(plain.toString(), stored)
    },
  }
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
