import { type Directory, directoryOf } from '../../directory.ts'
import type { FileConfig } from './config.ts'
import { createFileWork } from './thread.ts'
import { createUserIndex, succeed } from './user-index.ts'
import { NOTHING } from './work.ts'

/** The users of a file at one moment. */
export interface FileDirectory extends Directory {
  /** What was typed at sign-in → the groups of that user; undefined when there is none. */
  groupsOf(login: string): readonly string[] | undefined
}

/**
 * The users of the users file, for a command that only reads: no server runs, nothing is written.
 * @returns undefined when there is no such file, or it cannot be read as users
 */
export async function readDirectory(
  path: string,
  config: FileConfig,
  separator: string,
): Promise<FileDirectory | undefined> {
  const search = {
    email: config.search.email,
    caseInsensitive: config.search.case_insensitive,
  }
  const options = { source: path, separator, search, extraAttributes: config.extra_attributes }
  const work = createFileWork(path, options)
  try {
    const next = succeed(createUserIndex(search), search)
    const loaded = await work.load(NOTHING, next.add)
    if (loaded.kind !== 'users') return undefined
    const { index } = next.end()
    return {
      ...directoryOf(index.records.values()),
      groupsOf: (login) => index.find(login)?.profile.groups,
    }
  } finally {
    await work.close()
  }
}
