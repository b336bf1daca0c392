/** A name and a password as RFC 7617 carries them. Never to be logged. */
export interface Basic {
  readonly username: string
  readonly password: string
}

/** Far more than the longest name and password that are looked at; base64 of it. */
const MAX_HEADER = 4096

/** The scheme of an Authorization header in lower case; empty when there is none. */
export function schemeOf(value: string): string {
  return /^\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s|$)/.exec(value)?.[1]?.toLowerCase() ?? ''
}

/**
 * Reads a Basic credential: base64, UTF-8, a colon; both parts there.
 * @returns undefined when it is none
 */
export function parseBasic(value: string): Basic | undefined {
  if (value.length > MAX_HEADER) return undefined
  const token = /^\s*basic\s+([A-Za-z0-9+/]+={0,2})\s*$/i.exec(value)?.[1]
  if (token === undefined) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(token, 'base64'))
  } catch {
    // Not UTF-8: no such credential can be typed at the portal.
    return undefined
  }
  const colon = text.indexOf(':')
  if (colon < 1 || colon === text.length - 1) return undefined
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
