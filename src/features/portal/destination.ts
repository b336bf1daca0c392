import { isSafeRedirect } from '../../kernel/redirect.ts'
import { type Access, anonymous, parseTarget } from '../access/index.ts'
import { levelOf, type Sessions } from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import type { Carried } from './carried.ts'
import type { RequestContext } from './request-context.ts'

/** What the rules say of a destination for this user. */
export type Outcome = 'allow' | 'deny' | 'one_factor' | 'two_factor'

/** Where the user wants to go, as far as the portal would send them there. */
export type Destination =
  | { readonly kind: 'none' }
  /** A target that is not followed (requirement 15). It is treated as if it were not there. */
  | { readonly kind: 'unsafe' }
  | {
      readonly kind: 'safe'
      /** Exactly as sent. */
      readonly url: string
      readonly host: string
      readonly outcome: Outcome
    }
  | ({ readonly kind: 'interaction' } & Interaction)

/** A request of an OpenID client that waits until its user has signed in. */
export interface Interaction {
  readonly id: string
  /** The client, as the user is told. */
  readonly client: string
  /** Where the provider goes on; made by the provider and never by the browser. */
  readonly url: string
  readonly outcome: Outcome
}

/** The OpenID provider's side of a sign-in. */
export interface Interactions {
  /** @returns undefined: there is none of this id that is still waiting. @throws AppError STORE_UNAVAILABLE */
  find(
    id: string,
    user: { readonly profile: Profile | undefined; readonly level: 0 | 1 | 2 },
  ): Promise<Interaction | undefined>
}

export interface DestinationOptions {
  readonly access: Access
  readonly sessions: Pick<Sessions, 'domains'>
  /** Undefined where no feature has interactions: an id that is carried then leads nowhere. */
  readonly interactions?: Interactions | undefined
}

export type Judge = ReturnType<typeof createJudge>

/**
 * Judges where the user wants to go: whether the portal would send them there, and what the rules say. An interaction comes
 * before a target, because its target is the provider's own.
 */
export function createJudge({ access, sessions, interactions }: DestinationOptions) {
  const domains = sessions.domains.map(({ domain }) => domain)
  return async (
    carried: Carried,
    { address, identity }: Pick<RequestContext, 'address' | 'identity'>,
    /** The user who has signed in with this very request and has no session in it yet. */
    freshly?: Profile,
  ): Promise<Destination> => {
    const profile = freshly ?? identity?.profile
    const level = freshly !== undefined ? 1 : identity === undefined ? 0 : levelOf(identity.session)
    if (carried.interaction !== '' && interactions !== undefined) {
      const found = await interactions.find(carried.interaction, { profile, level })
      return found === undefined ? { kind: 'unsafe' } : { kind: 'interaction', ...found }
    }
    const { rd, rm } = carried
    if (rd === '') return { kind: 'none' }
    if (!isSafeRedirect(rd, domains)) return { kind: 'unsafe' }
    // A browser does not send the fragment: the proxy will ask about what stands before it.
    const [sent = ''] = rd.split('#', 1)
    const bytes = Buffer.from(sent, 'utf8').toString('latin1')
    const asked = parseTarget(bytes, /^[A-Z]{1,32}$/.test(rm) ? rm : 'GET', address)
    if ('malformed' in asked) return { kind: 'unsafe' }
    const subject =
      profile === undefined
        ? anonymous
        : { user: profile.name, groups: profile.groups, clientId: '' }
    const decision = access.decide(subject, level, asked.target)
    return {
      kind: 'safe',
      url: rd,
      host: asked.target.host,
      outcome:
        decision.kind === 'step-up'
          ? decision.need === 2
            ? 'two_factor'
            : 'one_factor'
          : decision.kind,
    }
  }
}

/** What the user is told that they go on to; undefined for nowhere in particular. */
export function titleOf(destination: Destination): string | undefined {
  switch (destination.kind) {
    case 'none':
    case 'unsafe':
      return undefined
    case 'safe':
      return destination.host
    case 'interaction':
      return destination.client
    default:
      return destination satisfies never
  }
}
