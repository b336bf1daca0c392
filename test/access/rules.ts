/** What the tests of the rules share: a rule set as one would write it, and a target from a URL as a proxy would send it. */
import {
  anonymous,
  createAccess,
  type Subject,
  type Target,
} from '../../src/features/access/index.ts'
import { AccessControl } from '../../src/features/access/manifest.ts'
import { parseHost } from '../../src/kernel/host.ts'

/** A rule set by the configuration's own schema. */
export function control(written: unknown): AccessControl {
  return AccessControl.parse(written)
}

export function access(written: unknown, networks: Record<string, string[]> = {}) {
  return createAccess(control(written), networks)
}

/** Splits a URL by hand, as verify does: nothing is cleaned or decoded. */
export function target(
  url: string,
  { method = 'GET', address = '203.0.113.7' }: { method?: string; address?: string } = {},
): Target {
  const [, scheme = '', authority = '', path = '', query] =
    /^([a-z]+):\/\/([^/?#]*)([^?]*)(?:\?(.*))?$/s.exec(url) ?? []
  const host = parseHost(authority, scheme)?.name
  if (host === undefined) throw new TypeError(`no target: ${url}`)
  return { scheme, host, path, query, method, address }
}

export function person(user: string, ...groups: readonly string[]): Subject {
  return { user, groups, clientId: '' }
}

export const nobody = anonymous
