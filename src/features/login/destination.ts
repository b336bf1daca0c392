import { isSafeRedirect } from '../../kernel/redirect.ts'
import { type Access, anonymous } from '../access/index.ts'
import { levelOf, type Sessions } from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import { parseTarget } from '../verify/index.ts'
import type { Destination } from './flow.ts'
import type { Visit } from './visit.ts'

/**
 * Judges where a visitor wants to go: whether we would send them there, and what the rules say.
 *
 * @param target as sent; empty for none
 * @param method of the request that was refused; anything that is no method counts as GET
 * @param freshly somebody who has signed in with this very request and has no session in it yet
 */
export function judgeDestination(
  target: string,
  method: string,
  { address, identity }: Pick<Visit, 'address' | 'identity'>,
  { access, sessions }: { readonly access: Access; readonly sessions: Sessions },
  freshly?: Profile,
): Destination {
  if (target === '') return { kind: 'none' }
  const domains = sessions.domains.map(({ domain }) => domain)
  if (!isSafeRedirect(target, domains)) return { kind: 'unsafe' }
  // A browser sends the fragment to nobody: the proxy will ask about what stands before it.
  const [sent = ''] = target.split('#', 1)
  const bytes = Buffer.from(sent, 'utf8').toString('latin1')
  const asked = parseTarget(bytes, /^[A-Z]{1,32}$/.test(method) ? method : 'GET', address)
  if ('malformed' in asked) return { kind: 'unsafe' }
  const profile = freshly ?? identity?.profile
  const subject =
    profile === undefined ? anonymous : { user: profile.name, groups: profile.groups, clientId: '' }
  const level = freshly !== undefined ? 1 : identity === undefined ? 0 : levelOf(identity.session)
  const decision = access.decide(subject, level, asked.target)
  return {
    kind: 'safe',
    url: target,
    host: asked.target.host,
    outcome:
      decision.kind === 'step-up'
        ? decision.need === 2
          ? 'two_factor'
          : 'one_factor'
        : decision.kind,
  }
}
