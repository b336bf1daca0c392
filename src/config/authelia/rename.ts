/** Second and deprecated names: the tree is rewritten to the names of today, and remembers what was written. */
import { type Fault, type Notice, placeOf } from '../faults.ts'
import { type Known, knownAt } from '../known.ts'
import {
  asksForSomething,
  type Entry,
  entryAt,
  isNothing,
  isWritten,
  joinPath,
  type MapTree,
  putEntry,
  type Scalar,
  type Tree,
  takeEntry,
} from '../tree.ts'
import { ALSO, MOVED, NETWORKS } from './old-names.ts'
import { valueFaults } from './unsupported/index.ts'

export interface Renamed {
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
}

/** What was written under another name. */
interface Old extends Entry {
  readonly written: string
}
type Place = Pick<Old, 'at' | 'written'>

/** Rewrites `root` in place. A name that a feature itself declares is left alone. */
export function rename(root: MapTree, known: Known): Renamed {
  const faults: Fault[] = []
  const notices: Notice[] = []
  const say = ({ at, written }: Place, message: string) =>
    notices.push({ ...placeOf(at), path: written, message })
  const isOld = (old: Place, now: string) => say(old, `is an old name; write ${now}`)
  const isTwice = ({ at, written }: Place, other: string) =>
    faults.push({
      ...placeOf(at),
      path: written,
      message: `is given together with ${other}, which means the same; keep ${other}`,
    })

  for (const [from, to] of Object.entries(MOVED)) move(from, to, true)
  for (const [from, to] of Object.entries(ALSO)) move(from, to, false)
  listen()
  mailServer()
  database()
  databaseTls()
  issuer()
  cookies()
  namedNetworks()
  return { faults, notices }

  function move(from: string, to: string, isOldName: boolean): void {
    const [list = '', key] = from.split('[].')
    if (key === undefined) {
      moveKey(root, [], from, to, isOldName)
      return
    }
    const items = entryAt(root, list.split('.'))?.value
    if (items?.kind !== 'list') return
    const target = to.slice(to.indexOf('[].') + 3)
    for (const [index, item] of items.items.entries()) {
      const base = [...list.split('.'), index]
      if (item.kind === 'map') moveKey(item, base, key, target, isOldName)
    }
  }

  /** @param base where `map` lies */
  function moveKey(
    map: MapTree,
    base: readonly (string | number)[],
    from: string,
    to: string,
    isOldName: boolean,
  ): void {
    const target = to.split('.')
    if (knownAt(known, [...base, ...target]) === undefined) return
    const old = take(map, base, from)
    if (old === undefined) return
    const now = textOf(base, target)
    if (has(map, target)) {
      isTwice(old, now)
      return
    }
    if (isOldName) isOld(old, now)
    putEntry(map, target, old)
  }

  function take(map: MapTree, base: readonly (string | number)[], dotted: string): Old | undefined {
    const path = dotted.split('.')
    if (knownAt(known, [...base, ...path])?.built) return undefined
    const entry = entryAt(map, path)
    if (entry === undefined || isNothing(entry.value)) return undefined
    takeEntry(map, path)
    return { ...entry, written: textOf(base, path) }
  }

  /** What is wrong with what stands there, while it still does. */
  function valuesAt(dotted: string): Fault[] {
    const path = dotted.split('.')
    const [entry, node] = [entryAt(root, path), knownAt(known, path)]
    if (entry === undefined || node === undefined || node.built) return []
    return valueFaults(entry.value, node, { path, text: dotted, at: entry.at }, root, known)
  }

  function taken(dotted: string): Old | undefined {
    return take(root, [], dotted)
  }

  /**
   * Several single values that became one key, which is made by `make` from those that were written.
   * @param from by the names that `make` knows them by; of one name with several keys, the last counts
   */
  function join<K extends string>(
    from: readonly (readonly [name: K, path: string])[],
    to: string,
    make: (parts: Readonly<Partial<Record<K, Scalar>>>) => string,
  ): void {
    const parts: Partial<Record<K, Scalar>> = {}
    const olds: Old[] = []
    for (const [name, path] of from) {
      const wrong = valuesAt(path)
      const old = taken(path)
      if (old === undefined) continue
      faults.push(...wrong)
      if (wrong.length > 0 || old.value.kind !== 'scalar') continue
      olds.push(old)
      parts[name] = old.value.value
    }
    const [first] = olds
    if (first === undefined) return
    const target = to.split('.')
    if (has(root, target)) {
      for (const old of olds) isTwice(old, to)
      return
    }
    const value = make(parts)
    for (const old of olds) isOld(old, `${to}: ${value}`)
    const at = first.at
    putEntry(root, target, {
      at,
      value: { kind: 'scalar', value, at },
      written: first.written,
    })
  }

  /** Host, port and path became one address. */
  function listen(): void {
    join(
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
  function mailServer(): void {
    join(
      [
        ['host', 'notifier.smtp.host'],
        ['port', 'notifier.smtp.port'],
      ],
      'notifier.smtp.address',
      ({ host = 'localhost', port = 25 }) =>
        `${SMTP_SCHEMES[String(port)] ?? 'smtp'}://${bracketed(host)}:${port}`,
    )
  }

  function database(): void {
    join(
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
  function databaseTls(): void {
    const ssl = 'storage.postgres.ssl'
    for (const [key, instead] of Object.entries(SSL_FILES)) {
      const old = taken(`${ssl}.${key}`)
      if (old !== undefined && asksForSomething(old.value))
        faults.push({
          ...placeOf(old.at),
          path: old.written,
          message: 'is not read any more',
          allowed: instead,
        })
    }
    for (const from of ['storage.postgres.sslmode', `${ssl}.mode`]) {
      const wrong = valuesAt(from)
      const old = taken(from)
      if (old === undefined) continue
      faults.push(...wrong)
      const mode = old.value.kind === 'scalar' ? old.value.value : ''
      if (wrong.length > 0 || mode === '') continue
      const target = ['storage', 'postgres', 'tls']
      if (has(root, target)) isTwice(old, 'storage.postgres.tls')
      else if (mode === 'disable')
        say(
          old,
          'is an old name; leave it out: without storage.postgres.tls there is no encryption',
        )
      else {
        const { at } = old
        const trusting: Entry = { at, value: { kind: 'scalar', value: true, at } }
        const entries = new Map(mode === 'require' ? [['skip_verify', trusting]] : [])
        isOld(old, `storage.postgres.tls: ${mode === 'require' ? '{skip_verify: true}' : '{}'}`)
        putEntry(root, target, { at, value: { kind: 'map', entries, at }, written: old.written })
      }
    }
    const left = entryAt(root, ssl.split('.'))?.value
    if (left?.kind === 'map' && left.entries.size === 0) takeEntry(root, ssl.split('.'))
  }

  /** The one key became the first of several. */
  function issuer(): void {
    const to = 'identity_providers.oidc.jwks'
    const entries = new Map<string, Entry>()
    const olds: Old[] = []
    for (const [from, key] of ISSUER) {
      const old = taken(from)
      if (old === undefined) continue
      olds.push(old)
      entries.set(key, old)
    }
    const [first] = olds
    if (first === undefined) return
    const target = to.split('.')
    if (has(root, target)) {
      for (const old of olds) isTwice(old, to)
      return
    }
    for (const old of olds) isOld(old, to)
    putEntry(root, target, { at: first.at, value: listOf({ kind: 'map', entries, at: first.at }) })
  }

  /** `session.domain` with `default_redirection_url` became the first of `session.cookies`. */
  function cookies(): void {
    const target = ['session', 'cookies']
    const domain = taken('session.domain')
    if (domain !== undefined && has(root, target)) isTwice(domain, 'session.cookies')
    else if (domain !== undefined) {
      isOld(domain, 'session.cookies')
      const cookie: MapTree = {
        kind: 'map',
        entries: new Map([['domain', domain]]),
        at: domain.at,
      }
      putEntry(root, target, { at: domain.at, value: listOf(cookie) })
    }
    fallback()
  }

  function fallback(): void {
    const list = entryAt(root, ['session', 'cookies'])?.value
    if (list?.kind !== 'list') return
    const url = taken('default_redirection_url')
    if (url === undefined) return
    const [cookie, second] = list.items
    if (cookie?.kind !== 'map' || second !== undefined) {
      say(url, 'is an old name and has no effect; write it into one of session.cookies')
      return
    }
    if (has(cookie, ['default_redirection_url'])) {
      isTwice(url, 'session.cookies[0].default_redirection_url')
      return
    }
    isOld(url, 'session.cookies[0].default_redirection_url')
    cookie.entries.set('default_redirection_url', url)
  }

  /** `access_control.networks: [{name, networks}]` became `definitions.network`. */
  function namedNetworks(): void {
    if (entryAt(root, NETWORKS.from.split('.'))?.value.kind !== 'list') return
    const list = taken(NETWORKS.from)
    if (list?.value.kind !== 'list') return
    isOld(list, NETWORKS.to)
    for (const [index, item] of list.value.items.entries()) {
      const written = joinPath(NETWORKS.from, index)
      const name = item.kind === 'map' ? item.entries.get('name')?.value : undefined
      const networks = item.kind === 'map' ? item.entries.get('networks') : undefined
      if (name?.kind !== 'scalar' || typeof name.value !== 'string' || networks === undefined) {
        faults.push({
          ...placeOf(item.at),
          path: written,
          message: 'is not a named network',
          allowed: 'the keys name and networks',
        })
        continue
      }
      const path = [...NETWORKS.to.split('.'), name.value]
      if (entryAt(root, path) !== undefined) isTwice({ ...networks, written }, path.join('.'))
      else putEntry(root, path, { ...networks, written: `${written}.networks` })
    }
  }
}

const ISSUER = [
  ['identity_providers.oidc.issuer_private_key', 'key'],
  ['identity_providers.oidc.issuer_certificate_chain', 'certificate_chain'],
] as const
const SSL_FILES = {
  root_certificate: 'the file in the folder certificates_directory',
  certificate: 'its content in storage.postgres.tls.certificate_chain',
  key: 'its content in storage.postgres.tls.private_key',
} as const
/** RFC 8314 §7.3, RFC 6409. */
const SMTP_SCHEMES: Readonly<Record<string, string>> = { 465: 'submissions', 587: 'submission' }

const textOf = (base: readonly (string | number)[], path: readonly string[]): string =>
  [...base, ...path].reduce<string>(joinPath, '')
const listOf = (item: Tree): Tree => ({ kind: 'list', items: [item], at: item.at })
const bracketed = (host: Scalar): string => {
  const text = String(host)
  return text.includes(':') && !text.startsWith('[') ? `[${text}]` : text
}
function has(map: MapTree, path: readonly string[]): boolean {
  const entry = entryAt(map, path)
  return entry !== undefined && isWritten(entry.value)
}
