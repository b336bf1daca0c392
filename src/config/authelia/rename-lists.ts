/** Single keys that became the first of a list, and a list that became a map. */
import { placeOf } from '../faults.ts'
import { type Entry, entryAt, joinPath, type MapTree, putEntry, type Tree } from '../tree.ts'
import { NETWORKS } from './old-names.ts'
import { has, type Old, type Renaming } from './renaming.ts'

/** The one key became the first of several. */
export function issuer(renaming: Renaming): void {
  const to = 'identity_providers.oidc.jwks'
  const entries = new Map<string, Entry>()
  const olds: Old[] = []
  for (const [from, key] of ISSUER) {
    const old = renaming.taken(from)
    if (old === undefined) continue
    olds.push(old)
    entries.set(key, old)
  }
  const [first] = olds
  if (first === undefined) return
  const target = to.split('.')
  if (has(renaming.root, target)) {
    for (const old of olds) renaming.isTwice(old, to)
    return
  }
  for (const old of olds) renaming.isOld(old, to)
  putEntry(renaming.root, target, {
    at: first.at,
    value: listOf({ kind: 'map', entries, at: first.at }),
  })
}

/** `session.domain` with `default_redirection_url` became the first of `session.cookies`. */
export function cookies(renaming: Renaming): void {
  const target = ['session', 'cookies']
  const domain = renaming.taken('session.domain')
  if (domain !== undefined && has(renaming.root, target))
    renaming.isTwice(domain, 'session.cookies')
  else if (domain !== undefined) {
    renaming.isOld(domain, 'session.cookies')
    const cookie: MapTree = {
      kind: 'map',
      entries: new Map([['domain', domain]]),
      at: domain.at,
    }
    putEntry(renaming.root, target, { at: domain.at, value: listOf(cookie) })
  }
  fallback(renaming)
}

function fallback(renaming: Renaming): void {
  const list = entryAt(renaming.root, ['session', 'cookies'])?.value
  if (list?.kind !== 'list') return
  const url = renaming.taken('default_redirection_url')
  if (url === undefined) return
  const [cookie, second] = list.items
  if (cookie?.kind !== 'map' || second !== undefined) {
    renaming.say(url, 'is an old name and has no effect; write it into one of session.cookies')
    return
  }
  if (has(cookie, ['default_redirection_url'])) {
    renaming.isTwice(url, 'session.cookies[0].default_redirection_url')
    return
  }
  renaming.isOld(url, 'session.cookies[0].default_redirection_url')
  cookie.entries.set('default_redirection_url', url)
}

/** `access_control.networks: [{name, networks}]` became `definitions.network`. */
export function namedNetworks(renaming: Renaming): void {
  if (entryAt(renaming.root, NETWORKS.from.split('.'))?.value.kind !== 'list') return
  const list = renaming.taken(NETWORKS.from)
  if (list?.value.kind !== 'list') return
  renaming.isOld(list, NETWORKS.to)
  for (const [index, item] of list.value.items.entries()) {
    const written = joinPath(NETWORKS.from, index)
    const name = item.kind === 'map' ? item.entries.get('name')?.value : undefined
    const networks = item.kind === 'map' ? item.entries.get('networks') : undefined
    if (name?.kind !== 'scalar' || typeof name.value !== 'string' || networks === undefined) {
      renaming.faults.push({
        ...placeOf(item.at),
        path: written,
        message: 'is not a named network',
        allowed: 'the keys name and networks',
      })
      continue
    }
    const path = [...NETWORKS.to.split('.'), name.value]
    if (entryAt(renaming.root, path) !== undefined)
      renaming.isTwice({ ...networks, written }, path.join('.'))
    else putEntry(renaming.root, path, { ...networks, written: `${written}.networks` })
  }
}

const ISSUER = [
  ['identity_providers.oidc.issuer_private_key', 'key'],
  ['identity_providers.oidc.issuer_certificate_chain', 'certificate_chain'],
] as const

const listOf = (item: Tree): Tree => ({ kind: 'list', items: [item], at: item.at })
