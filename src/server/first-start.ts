import { randomInt } from 'node:crypto'

/** Without 0 O o, 1 I l, 5 S s, 2 Z z, 8 B: it may be read off a screen and typed. */
const ALPHABET = 'ACDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrtuvwxy34679'
/** 24 of 48 characters: 134 bits. */
const LENGTH = 24

/** A random password without characters that are easily confused. */
export function randomPassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}

export interface FirstStart {
  /** Shown here and nowhere else; only its digest is kept. */
  readonly password: string
  readonly portalUrl: string
  readonly dataDirectory: string
}

/**
 * What a server says that was started for the first time, without users. For standard output, never for the log: it
 * holds a password. `User: ` and `Password: ` each begin a line, so that a script can read them.
 */
export function firstStartBanner(start: FirstStart): string {
  // What was printed last is what a terminal still shows.
  return `
Portal: ${start.portalUrl}
Data: ${start.dataDirectory} (users, sessions and keys; keep it private and back it up)
Proxy: \`vestibule proxy-config nginx\` prints its part; more in README.md
User: admin
Password: ${start.password}

`
}

export interface NewAdminPassword {
  readonly password: string
  readonly usersFile: string
}

/** What a server says that was started with `reset_admin_password: true`. For standard output only. */
export function resetAdminBanner({ password, usersFile }: NewAdminPassword): string {
  return `
${RULE}
The password of admin was reset, and the sessions of admin have ended.

User: admin
Password: ${password}

Take reset_admin_password out of the configuration, or the next start resets it
again. Its digest is in ${usersFile}
${RULE}

`
}

const RULE = '─'.repeat(72)
