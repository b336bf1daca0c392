/** Who asks for what. */
export interface Subject {
  /** Canonical name; '' for an anonymous request. */
  readonly user: string
  readonly groups: readonly string[]
  /** The OAuth 2.0 client that acts; '' for none. */
  readonly clientId: string
}

export const anonymous: Subject = Object.freeze({
  user: '',
  groups: Object.freeze([]),
  clientId: '',
})

export interface Target {
  readonly scheme: string
  /** Canonical (kernel/host.ts): lower case, no port, no trailing dot. */
  readonly host: string
  /** Exactly as sent, percent-encoding and all, one character a byte; '' or begins with `/`. */
  readonly path: string
  /** Raw, without `?`; undefined when there is no `?`. */
  readonly query: string | undefined
  /** `A`–`Z`. */
  readonly method: string
  /** The client's address, canonical (kernel/cidr.ts). */
  readonly address: string
}

/** One question to the rules: a target in one of its readings. */
export interface Asking {
  subject: Subject
  isAnonymous: boolean
  method: string
  address: string
  /** The reading, decoded and cleaned. */
  path: string
  query: string | undefined
  /** Patterns that name no `?` see the path without its query. */
  pathAlone: boolean
  /** What the other patterns see. */
  text: string
}

/** What answering may still cost, in places and characters looked at. Below zero the target is refused. */
export interface Meter {
  left: number
}

export function isAnonymous({ user, groups, clientId }: Subject): boolean {
  return user === '' && clientId === '' && groups.length === 0
}

/** How a criterion takes an asking; `may`: it depends on the user, and the request is anonymous. */
export type Match = 'absent' | 'hit' | 'may' | 'miss'
