import type { BaseLogger } from 'pino'
import type { AuditStore } from '../store.ts'
import { createGatheringSink, type GatheringSink } from './gathering.ts'

/** A database may be away for hours; this much is remembered meanwhile, some 10 MB. */
const MAX_WAITING = 10_000

/** Events in the database. */
export const createTableSink = ({
  store,
  log,
}: {
  readonly store: Pick<AuditStore, 'add'>
  readonly log: Pick<BaseLogger, 'error'>
}): GatheringSink =>
  createGatheringSink({
    write: (events) => store.add(events),
    most: MAX_WAITING,
    words: {
      waits: 'audit events wait: the database does not take them',
      lost: 'audit events were not kept: the database was away too long',
    },
    log,
  })
