/** Second and deprecated names: the tree is rewritten to the names of today, and remembers what was written. */
import type { Fault, Notice } from '../faults.ts'
import type { Known } from '../known.ts'
import type { MapTree } from '../tree.ts'
import { ALSO, MOVED } from './old-names.ts'
import { database, databaseTls, listen, mailServer } from './rename-addresses.ts'
import { cookies, issuer, namedNetworks } from './rename-lists.ts'
import { Renaming } from './renaming.ts'

export interface Renamed {
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
}

/** Rewrites `root` in place. A name that a feature itself declares is left alone. */
export function rename(root: MapTree, known: Known): Renamed {
  const renaming = new Renaming(root, known)
  for (const [from, to] of Object.entries(MOVED)) renaming.move(from, to, true)
  for (const [from, to] of Object.entries(ALSO)) renaming.move(from, to, false)
  for (const step of [listen, mailServer, database, databaseTls, issuer, cookies, namedNetworks])
    step(renaming)
  return renaming
}
