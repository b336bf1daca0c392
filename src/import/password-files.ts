/** Users of an htpasswd file and of tinyauth: a line each, `name:digest`. Pure. */
import { parseDigest } from '../features/passwords/index.ts'
import type { ImportedUser } from '../features/users/index.ts'
import type { ImportFault, TakenUsers } from './taken.ts'

interface Line {
  readonly line: number
  readonly text: string
}

/** What begins so is known by name, and cannot be checked here. */
const UNCHECKED: readonly (readonly [RegExp, string])[] = [
  [/^\$apr1\$/, 'apr1 (MD5) digests are not checked here'],
  [/^\$1\$/, 'MD5-crypt digests are not checked here'],
  [/^\{SHA\}/, 'SHA-1 digests without salt are not checked here'],
  [/^\{SSHA\}/, 'SHA-1 digests are not checked here'],
  [/^[./A-Za-z0-9]{13}$/, 'crypt (DES) digests are not checked here'],
]
const NEW_PASSWORD = 'give this user a new password'

function collect() {
  const users: ImportedUser[] = []
  const totp = new Map<string, string>()
  const left: ImportFault[] = []
  const faults: ImportFault[] = []
  const names = new Set<string>()
  return {
    totp,
    faults,
    left,
    /** @returns whether the user is taken over */
    add(source: string, line: number, name: string, digest: string): boolean {
      if (names.has(name)) {
        faults.push({ source, line, message: `the user ${name} is there twice` })
        return false
      }
      names.add(name)
      const unchecked = UNCHECKED.find(([form]) => form.test(digest))
      const parsed = parseDigest(digest)
      if (unchecked !== undefined || !parsed.ok) {
        const why = unchecked?.[1] ?? (parsed.ok ? '' : `the digest ${parsed.problem}`)
        left.push({ source, line, message: `${name}: ${why}; ${NEW_PASSWORD}` })
        return false
      }
      users.push({ name, displayName: name, groups: [], digest })
      return true
    },
    taken: (): TakenUsers => ({ users, totp, left, faults }),
  }
}

const linesOf = (text: string): readonly Line[] =>
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter(({ text: line }) => line !== '' && !line.startsWith('#'))

/** Apache's and nginx's: `name:digest`, and whatever stands behind a further colon is a comment. */
export function readHtpasswd(source: string, text: string): TakenUsers {
  const found = collect()
  for (const { line, text: entry } of linesOf(text)) {
    const [name = '', digest] = entry.split(':')
    if (name === '' || digest === undefined || digest === '')
      found.faults.push({ source, line, message: 'is not `name:digest`' })
    else found.add(source, line, name, digest)
  }
  return found.taken()
}

const USERS = /^(?:export\s+)?(?:TINYAUTH_AUTH_)?USERS\s*=\s*(.*)$/
/** Base32, as tinyauth prints it. */
const SECRET = /^[A-Za-z2-7 ]{16,208}=*$/

/**
 * tinyauth's: `name:bcrypt[:secret]`, one in a line in its users file, with commas between them in the variable `USERS`. The
 * file may be the one of the users, or one of variables (`.env`), where `$` may be written twice for Compose.
 */
export function readTinyauth(source: string, text: string): TakenUsers {
  const lines = linesOf(text)
  const found = collect()
  const variables = lines.filter(({ text: entry }) => USERS.test(entry))
  const entries =
    variables.length === 0
      ? lines.flatMap(({ line, text: entry }) => entry.split(',').map((user) => ({ line, user })))
      : variables.flatMap(({ line, text: entry }) =>
          variableIn(entry)
            .split(',')
            .map((user) => ({ line, user })),
        )
  for (const { line, user } of entries) {
    if (user.trim() === '') continue
    const [name = '', written = '', secret = '', ...more] = user.trim().split(':')
    const digest = written.startsWith('$$') ? written.replaceAll('$$', '$') : written
    if (name === '' || digest === '' || more.length > 0) {
      found.faults.push({ source, line, message: 'is not `name:digest` or `name:digest:secret`' })
      continue
    }
    if (secret !== '' && !SECRET.test(secret)) {
      found.faults.push({ source, line, message: `the secret of ${name} is no base32 text` })
      continue
    }
    if (found.add(source, line, name, digest) && secret !== '') found.totp.set(name, secret)
  }
  return found.taken()
}

function variableIn(entry: string): string {
  const value = USERS.exec(entry)?.[1]?.trim() ?? ''
  return /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value
}
