import type { BaseLogger } from 'pino'
import type { EventName } from '../events.ts'
import type { Sink } from '../sink.ts'

/** Said by another line already: `login.succeeded` has `new_device`. */
const IMPLIED: ReadonlySet<EventName> = new Set(['device.added'])

/** A line an event, one a sign-in. At `info`, so that fail2ban passes over it: the line of a failed attempt is login's own. */
export function createLogSink(log: Pick<BaseLogger, 'info'>): Sink {
  return {
    take({ name, user, actor, address, userAgent, requestId, details }) {
      if (IMPLIED.has(name)) return
      log.info(
        {
          ...details,
          event: name,
          user,
          actor,
          ...(userAgent !== '' && { user_agent: userAgent }),
          ...(requestId !== '' && { request_id: requestId }),
          ...(address !== '' && { remote_ip: address }),
        },
        'audit',
      )
    },
    async close() {},
  }
}
