import { resolve } from 'node:path'
import type { FileConfig } from './manifest.ts'
import { createRoster, type Roster, succeed } from './roster.ts'
import { createFileWork } from './users-file/thread.ts'
import { NOTHING } from './users-file/work.ts'

/** Who is there at one moment, disabled users included. */
export interface Directory {
  readonly names: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
  /** What somebody typed → the groups of that user; undefined for nobody. */
  groupsOf(login: string): readonly string[] | undefined
}

export function directoryOf(roster: Roster): Directory {
  const profiles = [...roster.records.values()].map(({ profile }) => profile)
  return {
    names: new Set(roster.records.keys()),
    groups: new Set(profiles.flatMap(({ groups }) => groups)),
    groupsOf: (login) => roster.find(login)?.profile.groups,
  }
}

/** The users file of a configuration, absolute. */
export const usersFileOf = (path: string, dataDirectory: string, cwd: string): string =>
  resolve(cwd, path === '' ? resolve(dataDirectory, 'users.yml') : path)

/**
 * Who is in the users file, for a command that only looks: no server runs, nothing is written.
 * @returns undefined when there is no such file, or it cannot be read as users
 */
export async function readDirectory(
  path: string,
  config: FileConfig,
  separator: string,
): Promise<Directory | undefined> {
  const search = {
    email: config.search.email,
    caseInsensitive: config.search.case_insensitive,
  }
  const options = { source: path, separator, search, extraAttributes: config.extra_attributes }
  const work = createFileWork(path, options)
  try {
    const next = succeed(createRoster(search), search)
    const loaded = await work.load(NOTHING, next.add)
    return loaded.kind === 'users' ? directoryOf(next.end().roster) : undefined
  } finally {
    await work.close()
  }
}
