/** Users from one backend into another: digests and attributes as they are, no password is needed. */
import { systemClock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { StartPlace } from '../../kernel/feature.ts'
import type { Storage } from '../../storage/index.ts'
import type { Account, AccountFields, UserBackend } from './backend.ts'
import { DatabaseConfig } from './backends/database/config.ts'
import { database } from './backends/database/definition.ts'
import { file } from './backends/file/definition.ts'
import type { BackendsConfig } from './manifest.ts'
import { outdateMarks } from './password-marks.ts'

export interface MoveOptions {
  /** Users of the same name are replaced, and else refused. */
  readonly force: boolean
  /** Nothing is written. */
  readonly dryRun: boolean
}

export interface Moved {
  readonly added: readonly string[]
  readonly replaced: readonly string[]
  /** Why the others stayed behind. With any of these in a dry run, nothing should be written. */
  readonly faults: readonly { readonly name: string; readonly problem: string }[]
}

/**
 * The first backend keeps its users, and those that only the second one has stay there.
 * @throws AppError STORE_UNAVAILABLE, USERS_UNWRITABLE
 */
export async function moveUsers(
  from: UserBackend,
  to: UserBackend,
  { force, dryRun }: MoveOptions,
): Promise<Moved> {
  const { creation, editing, writing } = to
  if (creation === undefined || editing === undefined || writing?.kind !== 'digest')
    throw new AppError('USERS_UNWRITABLE', { backend: to.name, reason: 'takes no new users' })
  const added: string[] = []
  const replaced: string[] = []
  const faults: { name: string; problem: string }[] = []
  for await (const account of from.list()) {
    const { name } = account.profile
    if (account.kind !== 'digest') {
      faults.push({ name, problem: 'has no password that could be carried over' })
      continue
    }
    const exists = (await to.byName(name)) !== undefined
    if (exists && !force) {
      faults.push({ name, problem: `is in the ${to.name} already` })
      continue
    }
    const fields = fieldsOf(account)
    const digest = account.digest.text.reveal()
    try {
      if (!dryRun && exists) {
        await editing.change(name, fields)
        await writing.set(name, digest, fields.mustChangePassword)
      } else if (!dryRun) await creation.add(name, { ...fields, digest })
      ;(exists ? replaced : added).push(name)
    } catch (error) {
      if (!(error instanceof AppError) || !OF_ONE_USER.includes(error.code)) throw error
      faults.push({ name, problem: problemOf(error) })
    }
  }
  return { added, replaced, faults }
}

type Movable = 'file' | 'database'

export interface MoveBetween extends MoveOptions {
  /** Of a backend that is not configured, the defaults count. */
  readonly config: BackendsConfig
  readonly place: StartPlace
  readonly separator: string
  readonly storage: Storage
  readonly from: Movable
  readonly to: Movable
}

/**
 * As `moveUsers`, while no server runs. A change that the one backend made and whose sessions have not ended yet is not known
 * to the other: all sessions of those who were moved end at the next start.
 * @throws OperatorError when a backend cannot be opened
 */
export async function moveUsersBetween(options: MoveBetween): Promise<Moved> {
  const { config, place, separator, storage, from, to, force, dryRun } = options
  const log = { error() {}, warn() {}, info() {} }
  const tools = { place, separator, storage, clock: systemClock, log }
  const fileConfig = { ...config['authentication_backend.file'], watch: false }
  const databaseConfig = config['authentication_backend.database'] ?? DatabaseConfig.parse({})
  await using opened = new AsyncDisposableStack()
  const open = async (which: Movable): Promise<UserBackend> => {
    const backend =
      which === 'file'
        ? await file.open({ [file.key]: fileConfig }, tools)
        : await database.open({ [database.key]: databaseConfig }, tools)
    if (backend === undefined) throw new TypeError(`${which} has no configuration`)
    opened.defer(() => backend.close())
    return backend
  }
  const source = await open(from)
  const target = await open(to)
  const names: string[] = []
  if (!dryRun) {
    for await (const { profile } of source.list()) names.push(profile.name)
    await outdateMarks(storage, names)
  }
  return moveUsers(source, target, { force, dryRun })
}

/** What is wrong with one user, and not with the backend. */
const OF_ONE_USER: readonly string[] = ['BODY_INVALID', 'USER_EXISTS', 'PASSWORD_UNUSABLE']

const problemOf = ({ code, data }: AppError): string =>
  code === 'BODY_INVALID' ? JSON.stringify(data) : code

function fieldsOf({ profile, disabled, attributes }: Account): AccountFields {
  const { displayName, email, groups, expiresAt = null, mustChangePassword = false } = profile
  return { displayName, email, groups, disabled, expiresAt, mustChangePassword, attributes }
}
