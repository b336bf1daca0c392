/** Hosts, ports and paths that became one address, and what belonged to them. */
import { placeOf } from '../faults.ts'
import { asksForSomething, type Entry, entryAt, putEntry, type Scalar, takeEntry } from '../tree.ts'
import { has, type Renaming } from './renaming.ts'

/** Host, port and path became one address. */
export function listen(renaming: Renaming): void {
  renaming.join(
    [
      ['host', 'host'],
      ['port', 'port'],
      ['host', 'server.host'],
      ['port', 'server.port'],
      ['path', 'server.path'],
    ],
    'server.address',
    ({ host = '', port = 9091, path = '' }) =>
      `tcp://${bracketed(host)}:${port}/${String(path).replace(/^\//, '')}`,
  )
}

/** So did those of the mail server; what its port was for is its scheme now. */
export function mailServer(renaming: Renaming): void {
  renaming.join(
    [
      ['host', 'notifier.smtp.host'],
      ['port', 'notifier.smtp.port'],
    ],
    'notifier.smtp.address',
    ({ host = 'localhost', port = 25 }) =>
      `${SMTP_SCHEMES[String(port)] ?? 'smtp'}://${bracketed(host)}:${port}`,
  )
}

export function database(renaming: Renaming): void {
  renaming.join(
    [
      ['host', 'storage.postgres.host'],
      ['port', 'storage.postgres.port'],
    ],
    'storage.postgres.address',
    ({ host = 'localhost', port = 5432 }) =>
      // libpq's way to name the folder of a socket.
      String(host).startsWith('/') ? `unix://${host}` : `tcp://${bracketed(host)}:${port}`,
  )
}

/** libpq's modes became a section that is there or not. Files that it named have other places. */
export function databaseTls(renaming: Renaming): void {
  const ssl = 'storage.postgres.ssl'
  for (const [key, instead] of Object.entries(SSL_FILES)) {
    const old = renaming.taken(`${ssl}.${key}`)
    if (old !== undefined && asksForSomething(old.value))
      renaming.faults.push({
        ...placeOf(old.at),
        path: old.written,
        message: 'is not read any more',
        allowed: instead,
      })
  }
  for (const from of ['storage.postgres.sslmode', `${ssl}.mode`]) {
    const wrong = renaming.valuesAt(from)
    const old = renaming.taken(from)
    if (old === undefined) continue
    renaming.faults.push(...wrong)
    const mode = old.value.kind === 'scalar' ? old.value.value : ''
    if (wrong.length > 0 || mode === '') continue
    const target = ['storage', 'postgres', 'tls']
    if (has(renaming.root, target)) renaming.isTwice(old, 'storage.postgres.tls')
    else if (mode === 'disable')
      renaming.say(
        old,
        'is an old name; leave it out: without storage.postgres.tls there is no encryption',
      )
    else {
      const { at } = old
      const trusting: Entry = { at, value: { kind: 'scalar', value: true, at } }
      const entries = new Map(mode === 'require' ? [['skip_verify', trusting]] : [])
      renaming.isOld(
        old,
        `storage.postgres.tls: ${mode === 'require' ? '{skip_verify: true}' : '{}'}`,
      )
      putEntry(renaming.root, target, {
        at,
        value: { kind: 'map', entries, at },
        written: old.written,
      })
    }
  }
  const left = entryAt(renaming.root, ssl.split('.'))?.value
  if (left?.kind === 'map' && left.entries.size === 0) takeEntry(renaming.root, ssl.split('.'))
}

const SSL_FILES = {
  root_certificate: 'the file in the folder certificates_directory',
  certificate: 'its content in storage.postgres.tls.certificate_chain',
  key: 'its content in storage.postgres.tls.private_key',
} as const
/** RFC 8314 §7.3, RFC 6409. */
const SMTP_SCHEMES: Readonly<Record<string, string>> = { 465: 'submissions', 587: 'submission' }

const bracketed = (host: Scalar): string => {
  const text = String(host)
  return text.includes(':') && !text.startsWith('[') ? `[${text}]` : text
}
