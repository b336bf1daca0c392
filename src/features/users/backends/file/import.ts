/** A users file as a whole, for programs that take users over from elsewhere. No server is asked; nothing is hashed. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Fault, formatFault } from '../../../../config/index.ts'
import { replaceFile } from '../../../../files/atomic-write.ts'
import type { Stamp } from '../../../../files/stamp.ts'
import { OperatorError, systemCode } from '../../../../kernel/operator-error.ts'
import type { FileConfig } from './config.ts'
import { REASONS, readFileText } from './disk.ts'
import type { ReadOptions } from './read.ts'

export interface ImportedUser {
  readonly name: string
  readonly displayName: string
  readonly groups: readonly string[]
  /** In a scheme of the passwords feature. */
  readonly digest: string
}

export type UsersFileText =
  | {
      readonly kind: 'users'
      readonly text: string
      /** Undefined: there is no such file. */
      readonly stamp: Stamp | undefined
      readonly names: readonly string[]
      readonly apart: boolean
    }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | { readonly kind: 'unreadable'; readonly problem: string }

export interface UsersPlan {
  readonly added: readonly string[]
  readonly replaced: readonly string[]
  /** Writes it. @throws OperatorError, also when the file was changed since it was read */
  write(): Promise<void>
}

const optionsOf = (path: string, { search, extra_attributes }: FileConfig, separator: string) => ({
  source: path,
  separator,
  search: { email: search.email, caseInsensitive: search.case_insensitive },
  extraAttributes: extra_attributes,
})

/** Reads a users file whole. One that is missing or empty has no users. */
export function readUsersFile(
  path: string,
  config: FileConfig,
  separator: string,
): Promise<UsersFileText> {
  return readWith(path, optionsOf(path, config, separator))
}

async function readWith(path: string, options: ReadOptions): Promise<UsersFileText> {
  const file = await readFileText(path)
  if (file.kind === 'refused') return { kind: 'unreadable', problem: file.problem }
  if (file.kind === 'missing')
    return { kind: 'users', text: '', stamp: undefined, names: [], apart: true }
  const { text, stamp } = file
  if (text.trim() === '') return { kind: 'users', text, stamp, names: [], apart: true }
  const { readUsers } = await import('./read.ts')
  const read = readUsers(text, options)
  if (!read.ok) return { kind: 'faults', faults: read.faults }
  const names = read.users.map(({ profile }) => profile.name)
  return { kind: 'users', text, stamp, names, apart: read.apart }
}

/**
 * What adding these users to a users file would do.
 * @param force gives a user who is there already the new digest, and leaves everything else of this user as it is
 * @throws OperatorError that names everything that keeps a user from being added
 */
export async function planUsers(
  path: string,
  users: readonly ImportedUser[],
  {
    config,
    separator,
    force,
  }: { readonly config: FileConfig; readonly separator: string; readonly force: boolean },
): Promise<UsersPlan> {
  const options = optionsOf(path, config, separator)
  const file = await readWith(path, options)
  if (file.kind === 'unreadable') throw new OperatorError(`${path} ${file.problem}`)
  if (file.kind === 'faults') throw refusal(`${path} has faults`, file.faults.map(formatFault))
  const there = new Set(file.names)
  const replaced = users.map(({ name }) => name).filter((name) => there.has(name))
  if (replaced.length > 0 && !force)
    throw new OperatorError(
      `${path} has users of these names already: ${replaced.join(', ')}`,
      'nothing was changed; --force gives them the digests of the import',
    )
  const text = await changed(file, users, options)
  return {
    replaced,
    added: users.map(({ name }) => name).filter((name) => !there.has(name)),
    write: () => write(path, text, file.stamp),
  }
}

async function changed(
  file: Extract<UsersFileText, { kind: 'users' }>,
  users: readonly ImportedUser[],
  options: ReadOptions,
): Promise<string> {
  const { changeUsers } = await import('./change.ts')
  const there = new Set(file.names)
  const problems: string[] = []
  let { text } = file
  for (const { name, digest, displayName, groups } of users) {
    const change = there.has(name)
      ? ({ kind: 'password', name, digest } as const)
      : ({ kind: 'new', name, digest, displayName, groups } as const)
    const result = changeUsers(text, change, file.apart, options)
    if (result.kind === 'changed') ({ text } = result)
    else if (result.kind === 'invalid') problems.push(...result.faults.map(formatFault))
    else if (result.kind === 'refused')
      throw refusal(`${options.source} ${result.problem}`, result.faults.map(formatFault))
    else problems.push(`${name}: is there twice`)
  }
  if (problems.length > 0) throw refusal('these users cannot be added', problems)
  // Each user was read alone: what two of them must not share is seen in the whole.
  const { readUsers } = await import('./read.ts')
  const whole = readUsers(text, options)
  if (!whole.ok)
    throw refusal('these users cannot be together in one file', whole.faults.map(formatFault))
  return text
}

const refusal = (problem: string, lines: readonly string[]): OperatorError =>
  new OperatorError([`${problem}:`, ...lines].join(' \u2022 '), 'nothing was changed')

async function write(path: string, text: string, stamp: Stamp | undefined): Promise<void> {
  let done: 'replaced' | 'changed'
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    done = await replaceFile(path, text, stamp)
  } catch (error) {
    const code = systemCode(error)
    if (code === '') throw error
    const why = REASONS[code] ?? `cannot be written (${code})`
    throw new OperatorError(`${path} ${why}`, undefined, { cause: error })
  }
  if (done === 'changed')
    throw new OperatorError(`${path} was changed meanwhile`, 'run the command again')
}
