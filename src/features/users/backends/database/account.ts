import type { EpochMs } from '../../../../kernel/clock.ts'
import { type Digest, parseDigest } from '../../../passwords/index.ts'
import type { Attributes, DigestAccount, Profile } from '../../backend.ts'
import { markOf } from '../../password-marks.ts'
import type { UserRow } from './tables.ts'

/** A user as the database had it. */
export class DatabaseAccount implements DigestAccount {
  readonly profile: Profile
  readonly disabled: boolean
  readonly mark: string
  readonly continues: string | undefined
  readonly version: string
  readonly attributes: Attributes
  readonly #digest: string

  constructor(row: UserRow) {
    const groups: string[] = JSON.parse(row.groups) // written by store.ts
    this.profile = Object.freeze({
      ...{ name: row.name, displayName: row.display_name, email: row.email },
      groups: Object.freeze(groups),
      // A time that was written as one.
      ...(row.expires_at !== null && { expiresAt: row.expires_at as EpochMs }),
      ...(row.must_change_password === 1 && { mustChangePassword: true as const }),
    })
    this.disabled = row.disabled === 1
    this.mark = markOf(row.digest)
    this.continues = row.continues === '' ? undefined : row.continues
    this.version = String(row.version)
    this.attributes = JSON.parse(row.attributes)
    this.#digest = row.digest
  }

  get kind(): 'digest' {
    return 'digest'
  }

  get digest(): Digest {
    return digestOf(this.#digest)
  }
}

export function digestOf(text: string): Digest {
  const parsed = parseDigest(text)
  if (!parsed.ok) throw new TypeError('a digest in the database cannot be read')
  return parsed.digest
}
