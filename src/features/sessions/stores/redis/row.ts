import type { EpochMs } from '../../../../kernel/clock.ts'
import type { StoredSession } from '../../store.ts'

const VERSION = 1
const TIME_BYTES = 8

/**
 * A row as bytes: version, expiry (a double), then id (a script in remover.ts knows its place) and owner with their lengths,
 * then what is sealed. None of it says who the user is.
 */
export function packRow({ id, owner, sealed, expiresAt }: StoredSession): Buffer {
  const texts = [id, owner].map((text) => Buffer.from(text))
  const head = Buffer.alloc(1 + TIME_BYTES)
  head.writeUInt8(VERSION)
  head.writeDoubleBE(expiresAt, 1)
  return Buffer.concat([head, ...texts.flatMap((text) => [Buffer.of(text.length), text]), sealed])
}

/** @returns undefined when it is none of ours; what was sealed is checked when it is opened */
export function unpackRow(key: string, packed: Buffer): StoredSession | undefined {
  if (packed.length < 1 + TIME_BYTES + 2 || packed[0] !== VERSION) return undefined
  const expiresAt = packed.readDoubleBE(1)
  let at = 1 + TIME_BYTES
  const next = (): string | undefined => {
    const length = packed[at]
    if (length === undefined || at + 1 + length > packed.length) return undefined
    at += 1 + length
    return packed.toString('utf8', at - length, at)
  }
  const [id, owner] = [next(), next()]
  if (id === undefined || owner === undefined || !Number.isFinite(expiresAt)) return undefined
  // Written as a time; bytes have no brand.
  return { key, id, owner, sealed: packed.subarray(at), expiresAt: expiresAt as EpochMs }
}
