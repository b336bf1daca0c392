/** What was acknowledged before a kill, and so has to be true after it. */

/** `unknown`: was under way when the kill came, and may have happened or not. */
export type SessionState = 'alive' | 'over' | 'unknown'

export interface Ledger {
  /** By the value of the cookie. */
  readonly sessions: Map<string, { readonly user: string; state: SessionState }>
  /** Passwords of which one is right: the acknowledged one, and those under way when the kill came. */
  readonly passwords: Map<string, string[]>
  /** Users who were added by an acknowledged change. */
  readonly added: Set<string>
  /** What the line that people edit may say. */
  edits: string[]
  /** Acknowledgements by kind. */
  readonly counts: {
    logins: number
    logouts: number
    passwords: number
    edits: number
    users: number
    /** Weak digests that the server replaced before it was killed. */
    anew: number
  }
}

export function createLedger(users: readonly string[], password: string, edit: string): Ledger {
  return {
    sessions: new Map(),
    passwords: new Map(users.map((user) => [user, [password]])),
    added: new Set(),
    edits: [edit],
    counts: { logins: 0, logouts: 0, passwords: 0, edits: 0, users: 0, anew: 0 },
  }
}

/** Takes up the lines that kill-writer.ts said. */
export function noteLines(ledger: Ledger, lines: readonly string[]): void {
  for (const line of lines) {
    const [sign, kind, subject = '', value = ''] = line.split(' ')
    const isDone = sign === '+'
    if (kind === 'password') {
      ledger.passwords.set(subject, either(ledger.passwords.get(subject), value, isDone))
      if (isDone) ledger.counts.passwords++
    } else if (kind === 'edit') {
      ledger.edits = either(ledger.edits, subject, isDone)
      if (isDone) ledger.counts.edits++
    } else if (kind === 'user' && isDone) {
      ledger.passwords.set(subject, [value])
      ledger.added.add(subject)
      ledger.counts.users++
    }
  }
}

/** A change that is done is what holds; one that is under way may be. */
const either = (before: readonly string[] = [], value: string, isDone: boolean): string[] =>
  isDone ? [value] : [...before, value]
