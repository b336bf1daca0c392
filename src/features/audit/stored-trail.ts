import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import { type AuditEvent, createEvent } from './event.ts'
import { createAuditStore } from './store.ts'
import type { Audit } from './trail.ts'

/** The audit trail of a database whose server does not run: what is recorded is written by `close`, to the table alone. */
export function createStoredTrail({
  storage,
  isKept,
  clock,
}: {
  readonly storage: Pick<Storage, 'db'>
  /** `audit.retention` keeps events at all. */
  readonly isKept: boolean
  readonly clock: Clock
}): Omit<Audit, 'onEvent'> {
  const store = createAuditStore(storage)
  const recorded: AuditEvent[] = []
  return {
    record(name, happening) {
      if (isKept) recorded.push(createEvent(name, happening, clock.now()))
    },
    list: (selection) => store.list(selection),
    async close() {
      const events = recorded.splice(0)
      if (events.length > 0) await store.add(events)
    },
  }
}
