import type { Outcome } from '../outbox/index.ts'
import type { Mail } from './notification.ts'

/** A way to a user. A new one is a file in channels/ and a line in channels/index.ts. */
export interface Channel {
  /** Delivers one mail. Never rejects; ends soon after `signal`. */
  deliver(mail: Mail, signal: AbortSignal): Promise<Outcome>
  /** Tries it without sending anything. @throws OperatorError saying what is wrong */
  check(): Promise<void>
}
