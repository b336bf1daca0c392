import { resolve } from 'node:path'
import type { StartPlace } from '../../../../kernel/feature.ts'

/** The users file, absolute. @param path `authentication_backend.file.path`; '' for the one in the data directory */
export const usersFileIn = (place: StartPlace, path: string): string =>
  path === '' ? place.inDataDirectory('users.yml') : place.resolve(path)

/** The users file of a configuration, absolute, where no server runs. */
export const usersFileOf = (path: string, dataDirectory: string, cwd: string): string =>
  usersFileIn(
    {
      resolve: (given) => resolve(cwd, given),
      inDataDirectory: (name) => resolve(cwd, dataDirectory, name),
    },
    path,
  )
