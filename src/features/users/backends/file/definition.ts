import type { StartPlace, StartReport } from '../../../../kernel/feature.ts'
import type { UserBackend } from '../../backend.ts'
import { type BackendTools, defineBackend } from '../../definition.ts'
import { checkPassword } from '../../hashing-check.ts'
import { FileConfig } from './config.ts'
import { usersFileIn } from './path.ts'

async function look(
  config: FileConfig,
  { place, separator }: { readonly place: StartPlace; readonly separator: string },
  report: StartReport,
): Promise<void> {
  const { lookAtUsers } = await import('./look.ts')
  await lookAtUsers(config, separator, place, report)
}

async function open(config: FileConfig, { place, ...tools }: BackendTools): Promise<UserBackend> {
  const { openFileUsers } = await import('./open.ts')
  return openFileUsers({
    ...tools,
    path: usersFileIn(place, config.path),
    watch: config.watch,
    search: { email: config.search.email, caseInsensitive: config.search.case_insensitive },
    extraAttributes: config.extra_attributes,
  })
}

/** Users in a YAML file that people edit too. */
export const file = defineBackend({
  key: 'authentication_backend.file',
  schema: FileConfig,
  isDefault: true,
  check: ({ password }, report, explicit) => checkPassword(password, report, explicit),
  look,
  open,
})
