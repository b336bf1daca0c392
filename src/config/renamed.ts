/** Second and deprecated names: the tree is rewritten to the names of today, and remembers what was written. */
import { type Fault, type Notice, placeOf } from './faults.ts'
import { type Known, knownAt } from './known.ts'
import {
  type Entry,
  entryAt,
  isNothing,
  joinPath,
  type MapTree,
  putEntry,
  type Tree,
  takeEntry,
} from './tree.ts'

/** Authelia's deprecated names of keys that only moved. */
export const MOVED: Readonly<Record<string, string>> = {
  'authentication_backend.disable_reset_password': 'authentication_backend.password_reset.disable',
  log_level: 'log.level',
  log_format: 'log.format',
  log_file_path: 'log.file_path',
  'server.read_buffer_size': 'server.buffers.read',
  'server.write_buffer_size': 'server.buffers.write',
  'session.remember_me_duration': 'session.remember_me',
}
/** Authelia's deprecated names that became part of something else. */
export const DISSOLVED: readonly string[] = [
  'server.host',
  'server.port',
  'server.path',
  'session.domain',
  'default_redirection_url',
  'access_control.networks[].{name,networks}',
]

export interface Renamed {
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
}

/** Rewrites `root` in place. A name that a feature itself declares is left alone. */
export function rename(root: MapTree, known: Known): Renamed {
  const faults: Fault[] = []
  const notices: Notice[] = []
  const isBuilt = (path: readonly (string | number)[]) => knownAt(known, path)?.built === true
  const deprecated = (entry: Entry, written: string, now: string) =>
    notices.push({
      ...placeOf(entry.at),
      path: written,
      message: `is an old name; write ${now}`,
    })
  const twice = (entry: Entry, written: string, other: string) =>
    faults.push({
      ...placeOf(entry.at),
      path: written,
      message: `is given together with ${other}, which means the same; keep ${other}`,
    })
  const takeWritten = (dotted: string): Entry | undefined => {
    const path = dotted.split('.')
    if (isBuilt(path)) return undefined
    const entry = entryAt(root, path)
    return entry === undefined || isNothing(entry.value) ? undefined : takeEntry(root, path)
  }

  for (const [from, to] of Object.entries(MOVED)) {
    const entry = takeWritten(from)
    if (entry === undefined) continue
    const target = to.split('.')
    const there = entryAt(root, target)
    if (there !== undefined && !isNothing(there.value)) twice(entry, from, to)
    else {
      deprecated(entry, from, to)
      putEntry(root, target, { ...entry, written: from })
    }
  }
  listen()
  firstCookie()
  namedNetworks()
  portalUrls()
  return { faults, notices }

  /** `server.host`, `.port` and `.path` became one address. */
  function listen(): void {
    const parts = { host: '', port: '9091', path: '' }
    let last: Entry | undefined
    let written = ''
    for (const part of ['host', 'port', 'path'] as const) {
      const entry = takeWritten(`server.${part}`)
      if (entry?.value.kind !== 'scalar') continue
      parts[part] = String(entry.value.value)
      last = entry
      written = `server.${part}`
    }
    if (last === undefined) return
    const there = entryAt(root, ['server', 'address'])
    if (there !== undefined && !isNothing(there.value)) {
      twice(last, written, 'server.address')
      return
    }
    const host = parts.host.includes(':') ? `[${parts.host}]` : parts.host
    const address = `tcp://${host}:${parts.port}/${parts.path.replace(/^\//, '')}`
    deprecated(last, written, `server.address: ${address}`)
    const value: Tree = { kind: 'scalar', value: address, at: last.at }
    putEntry(root, ['server', 'address'], { at: last.at, value, written })
  }

  /** `session.domain` with `default_redirection_url` became the first of `session.cookies`. */
  function firstCookie(): void {
    const domain = takeWritten('session.domain')
    if (domain === undefined) return
    const there = entryAt(root, ['session', 'cookies'])
    if (there !== undefined && !isNothing(there.value)) {
      twice(domain, 'session.domain', 'session.cookies')
      return
    }
    deprecated(domain, 'session.domain', 'session.cookies')
    const entries = new Map([['domain', { ...domain, written: 'session.domain' }]])
    const url = takeWritten('default_redirection_url')
    if (url !== undefined)
      entries.set('default_redirection_url', { ...url, written: 'default_redirection_url' })
    const cookie: Tree = { kind: 'map', entries, at: domain.at }
    const value: Tree = { kind: 'list', items: [cookie], at: domain.at }
    putEntry(root, ['session', 'cookies'], { at: domain.at, value })
  }

  /** `access_control.networks: [{name, networks}]` became `definitions.network`. */
  function namedNetworks(): void {
    if (entryAt(root, ['access_control', 'networks'])?.value.kind !== 'list') return
    const list = takeWritten('access_control.networks')
    if (list?.value.kind !== 'list') return
    deprecated(list, 'access_control.networks', 'definitions.network')
    for (const [index, item] of list.value.items.entries()) {
      const written = `access_control.networks[${index}]`
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
      const path = ['definitions', 'network', name.value]
      const entry: Entry = { ...networks, written: `${written}.networks` }
      if (entryAt(root, path) !== undefined) twice(entry, written, path.join('.'))
      else putEntry(root, path, entry)
    }
  }

  /** `authelia_url` is `portal_url`. */
  function portalUrls(): void {
    const cookies = entryAt(root, ['session', 'cookies'])?.value
    if (cookies?.kind !== 'list') return
    for (const [index, cookie] of cookies.items.entries()) {
      const path = ['session', 'cookies', index]
      if (cookie.kind !== 'map' || isBuilt([...path, 'authelia_url'])) continue
      const entry = cookie.entries.get('authelia_url')
      if (entry === undefined || !isBuilt([...path, 'portal_url'])) continue
      const base = joinPath('session.cookies', index)
      const there = cookie.entries.get('portal_url')
      cookie.entries.delete('authelia_url')
      if (there !== undefined && !isNothing(there.value))
        twice(entry, `${base}.authelia_url`, `${base}.portal_url`)
      else cookie.entries.set('portal_url', { ...entry, written: `${base}.authelia_url` })
    }
  }
}
