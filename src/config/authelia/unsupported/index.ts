/**
 * Keys that may stand in a configuration although nothing reads them yet, and keys that must not.
 *
 * Owns their types, defaults and descriptions, and what is said of their values. Loaded when such a key was written, or
 * when the schema or the reference is asked for. A key that a feature declares is that feature's, whether it is named
 * here or not: nothing has to be removed when something gets built.
 */
import { addPath, type Known } from '../../known.ts'
import { ALSO, DISSOLVED, MOVED, NETWORKS } from '../old-names.ts'
import { MESSAGES } from './messages.ts'
import { OPENID_CONNECT } from './openid-connect.ts'
import { OURS } from './ours.ts'
import { SECOND_FACTOR } from './second-factor.ts'
import { SERVER } from './server.ts'
import { STORES } from './stores.ts'
import { addRow, addSection } from './table.ts'
import { USERS } from './users.ts'

export { contradictions } from './contradictions.ts'
export { type Spot, valueFaults } from './values.ts'

/**
 * Keys that no feature reads and that must not be ignored: what they ask for would silently not happen. A
 * start with one of them is refused, with the reason.
 */
export const REFUSED: Readonly<Record<string, string>> = {
  'authentication_backend.ldap':
    'users in a directory are not supported yet; keep them in a file (authentication_backend.file)',
  'server.tls':
    'TLS is not supported yet, and without it this address would answer in plain text; end TLS at the proxy in front',
  'storage.mysql':
    'MySQL and MariaDB are not supported and will not be; use PostgreSQL (storage.postgres) or the embedded database (storage.local)',
}

/** What else there is to say, after "has no effect yet". */
export const NOTES: Readonly<Record<string, string>> = {
  jwt_secret:
    "; Authelia's old jwt_secret is identity_validation.reset_password.jwt_secret today, and this is another secret",
}

const TABLES = [SERVER, USERS, SECOND_FACTOR, STORES, MESSAGES, OPENID_CONNECT, OURS]

/** Adds all of them, and the old names of keys, to the keys that features read. */
export function addUnsupported(known: Known): void {
  for (const table of TABLES) addSection(known, table)
  for (const [from, [to, form]] of Object.entries(DISSOLVED)) {
    addRow(known, from, [form, undefined, `Old form of \`${to}\`.`])
    for (const node of addPath(known, from)) node.nameOf ??= node.built ? undefined : to
  }
  for (const node of addPath(known, NETWORKS.from)) {
    node.nameOf = NETWORKS.to
    node.about = `Old form of \`${NETWORKS.to}\`.`
  }
  for (const [from, to] of Object.entries(MOVED)) addName(known, from, to, 'Old name')
  for (const [from, to] of Object.entries(ALSO)) addName(known, from, to, 'Other name')
}

function addName(known: Known, from: string, to: string, kind: string): void {
  const [target] = addPath(known, to)
  for (const node of addPath(known, from)) {
    if (node.built || target === undefined) continue
    node.nameOf = to
    node.about = `${kind} of \`${to}\`.`
    node.unread = target.unread
    node.leaf = target.leaf
    node.item = target.item
  }
}
