/**
 * How the previous release read and wrote the record of a session: a frozen copy, not to be kept in step with `src`. When
 * a release has been made, this becomes a copy of what that one does.
 */
import { z } from 'zod'

const time = z.int().nonnegative()
const fields = [
  z.string(), // domain
  z.string().min(1), // user
  z.array(z.enum(['password'])).min(1), // factors
  time, // createdAt
  time, // expiresAt
  z.literal([0, 1]), // remembered
  time, // lastSeen
  z.string(), // address
  z.string(), // userAgent
] as const
const record = z.tuple([z.literal(2), ...fields, z.string().min(1) /* login */])
const firstRecord = z.tuple([z.literal(1), ...fields])
const anyRecord = z.union([record, firstRecord])

/** @returns what it made of it; undefined counted as no session, and the row stayed where it was */
export function readByPreviousRelease(plain: string): z.infer<typeof anyRecord> | undefined {
  const parsed = anyRecord.safeParse(JSON.parse(plain))
  return parsed.success ? parsed.data : undefined
}

/** What it wrote with the last use of a session that it had read. */
export function writeByPreviousRelease(
  [, ...rest]: z.infer<typeof anyRecord>,
  lastSeen: number,
): string {
  const written: unknown[] = [2, ...rest]
  written[7] = lastSeen
  return JSON.stringify(written)
}

/** A row as it sealed it, with the secret of the tests (house.ts): alice, remembered, of the sign-in `sign-in`. */
export const SEALED_BY_PREVIOUS_RELEASE = {
  key: 'PrD475-qAZQtShscJlPL2OBzJx-0K920zWB8bX7mUPk',
  id: 'an-id-of-before',
  owner: 'ywStSShaaV1IiYP8rMQe1w',
  sealed: Buffer.from(
    'AfzGG+PHAQf/itZcjtlWSeNk3bBIfR+F8ruUbKtKJ60wiSO5oHuOflaYLczhCjVe29oVjG+saa4CJ1DHVs+B4Yz20iDIrLP3FFSkYCbSvuBJjWw2c1yALyFSJXqWZ5vx/qJT2iHJDBa+WAQ+0rroTy61P3A8XVFoPJ9RPfSWCBINYs440lAJ5PaKxOVZ1B8=',
    'base64',
  ),
}
