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
  /** Where the digest is: a file, or the database. */
  readonly usersIn: string
}

/** What a server says that was started with `reset_admin_password: true`. For standard output only. */
export function resetAdminBanner({ password, usersIn }: NewAdminPassword): string {
  return `
${RULE}
The password of admin was reset, and the sessions of admin have ended.

User: admin
Password: ${password}

Take reset_admin_password out of the configuration, or the next start resets it
again. Its digest is in ${usersIn}
${RULE}

`
}

const RULE = '─'.repeat(72)
