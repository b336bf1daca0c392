/** What the mode of a file lets other users of the machine do. */
import { statSync } from 'node:fs'

const OTHERS_MAY_READ = 0o004
const OTHERS_MAY_WRITE = 0o002

/**
 * What other users of the machine may do with a file, and should not: who writes the configuration or the users file
 * decides who gets in, and who reads a digest can try passwords against it.
 * @param holdsSecrets whether reading it gives something away
 * @returns a sentence with the mode and the command that mends it; undefined when there is nothing to say
 */
export function permissionWarning(path: string, holdsSecrets: boolean): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !stats.isFile()) return undefined
  const mayWrite = (stats.mode & OTHERS_MAY_WRITE) !== 0
  const mayRead = holdsSecrets && (stats.mode & OTHERS_MAY_READ) !== 0
  if (!mayWrite && !mayRead) return undefined
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  const what = [mayRead && 'read', mayWrite && 'change'].filter(Boolean).join(' and ')
  const secrets = mayRead ? ', which holds secrets' : ''
  const command = `chmod o-${mayRead ? 'r' : ''}${mayWrite ? 'w' : ''} ${path}`
  return `every user of this machine may ${what} ${path}${secrets} (mode ${mode}): ${command}`
}
