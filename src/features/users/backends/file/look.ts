import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StartPlace, StartReport } from '../../../../kernel/feature.ts'
import type { FileConfig } from './config.ts'
import { usersFileIn } from './path.ts'
import { createFileWork } from './thread.ts'
import { NOTHING } from './work.ts'

const PATH = ['authentication_backend', 'file', 'path']

/** Whether the users file could be loaded: what its loading would refuse is a fault here. */
export async function lookAtUsers(
  config: FileConfig,
  separator: string,
  place: StartPlace,
  report: StartReport,
): Promise<void> {
  // The data directory and what is missing in it are made at the start.
  const path = usersFileIn(place, config.path)
  if (
    config.path !== '' &&
    !isDirectory(dirname(path)) &&
    dirname(path) !== place.inDataDirectory('.')
  )
    return report.fault(PATH, `lies in ${dirname(path)}, which does not exist`)
  const work = createFileWork(path, optionsOf(config, path, separator))
  try {
    const loaded = await work.load(NOTHING, () => {})
    if (loaded.kind === 'missing') return
    report.secretFile(path)
    if (loaded.kind === 'unreadable') report.faultIn({ source: path, path: '' }, loaded.problem)
    if (loaded.kind !== 'faults') return
    for (const { message, allowed, ...at } of loaded.faults) report.faultIn(at, message, allowed)
  } finally {
    await work.close()
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const optionsOf = (config: FileConfig, source: string, separator: string) => ({
  source,
  separator,
  search: { email: config.search.email, caseInsensitive: config.search.case_insensitive },
  extraAttributes: config.extra_attributes,
})
