import type { Account } from './backend.ts'

/** Names of users and groups at one moment, those of disabled users included. */
export interface Directory {
  readonly names: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

export function directoryOf(accounts: Iterable<Account>): Directory {
  const names = new Set<string>()
  const groups = new Set<string>()
  for (const { profile } of accounts) {
    names.add(profile.name)
    for (const group of profile.groups) groups.add(group)
  }
  return { names, groups }
}
