import type { Actor, Audit } from './features/audit/index.ts'
import type { Ban, ThrottleOptions } from './features/throttle/index.ts'

/** What the audit trail is told of bans and known devices. */
export function throttleNotes(
  audit: Pick<Audit, 'record'>,
): Pick<ThrottleOptions, 'onBan' | 'onLift' | 'onRevoke'> {
  return {
    onBan(ban) {
      const { source, reason, expiresAt, by } = ban
      audit.record('ban.added', {
        ...about(ban),
        actor: source === 'regulation' ? 'system' : actorOf(by),
        details: {
          ...{ subject: subjectOf(ban), source, reason },
          ...(expiresAt !== undefined && { until: expiresAt }),
        },
      })
    },
    onLift(ban, by) {
      audit.record('ban.lifted', {
        ...about(ban),
        actor: actorOf(by),
        details: { subject: subjectOf(ban) },
      })
    },
    onRevoke({ id, user }) {
      audit.record('device.removed', { user, actor: 'system', details: { device: id } })
    },
  }
}

const about = ({ kind, name }: Ban) => ({ user: kind === 'user' ? name : '' })
const subjectOf = ({ kind, name }: Ban): string => `${kind}:${name}`
/** Whoever typed the command is not known by name. */
const actorOf = (by: string): Actor => (by === '' ? 'operator' : `user:${by}`)
