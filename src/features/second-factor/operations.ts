/** What may be asked of second factors. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { defineOperation } from '../../kernel/operation.ts'
import type { Audit } from '../audit/index.ts'
import type { Devices } from '../throttle/index.ts'
import { storedOperations } from './stored/operations.ts'

export * from './stored/operations.ts'

/** Of second factors and the audit trail, what is needed here. */
interface Services {
  readonly factors: {
    removeAll(user: string): Promise<number>
    invite(user: string): Promise<void>
  }
  readonly sessions: {
    /** @returns how many there were */
    revokeUser(user: string): Promise<number>
  }
  readonly devices: Pick<Devices, 'revokeUser'>
  readonly audit: Pick<Audit, 'record'>
}

const user = z
  .string()
  .min(1)
  .max(256)
  .describe('the name of the user, as the user backend spells it')

export const resetFactors = defineOperation({
  name: 'users.reset-factors',
  summary:
    'remove every second factor and all recovery codes of a user, who is signed out everywhere',
  who: 'admin',
  http: [
    {
      ...{ method: 'DELETE', path: '/api/admin/users/:username/factors', elevated: true },
      request: z
        .object({ params: z.object({ username: user }) })
        .transform(({ params }) => ({ user: params.username })),
    },
  ],
  input: z.strictObject({ user }),
  output: z.object({ removed: z.number() }),
  audits: ['factor.removed', 'session.revoked', 'device.removed'],
  async run({ factors, sessions, devices, audit }: Services, { user }, { actor }) {
    const removed = await factors.removeAll(user)
    if (removed > 0) audit.record('factor.removed', { user, actor, details: { reason: 'reset' } })
    // Afterwards: what was shown until now may have raised one. It may have been a thief who showed it.
    const count = await sessions.revokeUser(user)
    const details = { sessions: count, reason: 'factor-changed' } as const
    if (count > 0) audit.record('session.revoked', { user, actor, details })
    await devices.revokeUser(user, actor)
    return { removed }
  },
})

export const inviteFactor = defineOperation({
  name: 'users.invite-factor',
  summary: 'let a user enrol a first second factor where second_factor.enrolment is invited',
  who: 'operator',
  input: z.strictObject({ user }),
  output: z.object({}),
  audits: ['factor.invited'],
  async run({ factors, audit }: Services, asked, { actor }) {
    await factors.invite(asked.user)
    audit.record('factor.invited', { user: asked.user, actor })
    return {}
  },
})

export const secondFactorOperations = [resetFactors, inviteFactor, ...storedOperations] as const
