import type { Actor, Audit } from '../audit/index.ts'
import type { BanListeners } from './ban-registry.ts'
import type { Ban } from './bans.ts'
import type { OnRevoke } from './devices.ts'

interface Notes extends BanListeners {
  readonly onRevoke: OnRevoke
}

/** What the audit trail is told of bans and known devices. */
export function throttleNotes(audit: Pick<Audit, 'record'>): Notes {
  return {
    onBan(ban) {
      const { source, reason, expiresAt, by } = ban
      audit.record('ban.added', {
        ...about(ban),
        actor: source === 'regulation' ? 'system' : actorOf(by),
        details: {
          ...{ subject: targetOf(ban), source, reason },
          ...(expiresAt !== undefined && { until: expiresAt }),
        },
      })
    },
    onLift(ban, by) {
      audit.record('ban.lifted', {
        ...about(ban),
        actor: actorOf(by),
        details: { subject: targetOf(ban) },
      })
    },
    onRevoke({ id, user }, actor) {
      audit.record('device.removed', { user, actor, details: { device: id } })
    },
  }
}

const about = ({ kind, name }: Ban) => ({ user: kind === 'user' ? name : '' })
const targetOf = ({ kind, name }: Ban): string => `${kind}:${name}`
/** Empty for the command line: it does not say which user runs it. */
const actorOf = (by: string): Actor => (by === '' ? 'operator' : `user:${by}`)
