import type { BaseLogger } from 'pino'
import type { Sink } from './index.ts'

/** A line an event. At `info`, so that fail2ban passes over it: the line of a failed attempt is the login room's own. */
export function createLogSink(log: Pick<BaseLogger, 'info'>): Sink {
  return {
    take({ name, user, actor, address, userAgent, requestId, details }) {
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
