import { sealedPlace } from '../../../../kernel/seal.ts'

// Aliases, not interfaces: Kysely wants what has an index signature.
export type KeyRow = {
  id: string
  user_name: string
  rpid: string
  kid: string
  description: string
  description_key: string
  public_key: Uint8Array
  attestation_type: string
  aaguid: string
  attachment: string
  transports: string
  sign_count: number
  clone_warning: number
  discoverable: number
  verified: number
  backup_eligible: number
  backup_state: number
  created_at: number
  last_used_at: number | null
}
export type KeyTables = {
  webauthn_credentials: KeyRow
  webauthn_users: { handle: string; user_name: string; rpid: string }
}

/** Of a user. More would be a list that no browser can take. */
export const MAX_CREDENTIALS = 50

export const placeOfKey = ({
  user_name: user,
  rpid,
  kid,
}: Pick<KeyRow, 'user_name' | 'rpid' | 'kid'>): string =>
  sealedPlace('webauthn_credentials', 'public_key', [user, rpid, kid])

/** Names that differ in case alone are the same name. */
export const nameKey = (name: string): string => name.normalize('NFKC').toLowerCase()
