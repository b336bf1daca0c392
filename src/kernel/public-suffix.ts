import { createRequire } from 'node:module'

type Tldts = Pick<typeof import('tldts'), 'parse'>

let list: Tldts | undefined

/**
 * Whether strangers can have names below this one (`co.uk`, `duckdns.org`), by the Public Suffix List, its private part
 * included. Browsers refuse cookies for such a name. A top level that the list does not have (`lan`) is none of these.
 * @param domain in lower case, with a dot
 */
export function isPublicSuffix(domain: string): boolean {
  // RFC 6761: nothing below it is on the list, and a start without configuration is spared reading it.
  if (domain.endsWith('.localhost')) return false
  // A check of the configuration waits for nothing, so that this cannot be an import(). 200 KB; only read for a domain.
  list ??= createRequire(import.meta.url)('tldts') as Tldts // the module that is named
  const { publicSuffix, isIcann, isPrivate } = list.parse(domain, { allowPrivateDomains: true })
  return publicSuffix === domain && (isIcann === true || isPrivate === true)
}
