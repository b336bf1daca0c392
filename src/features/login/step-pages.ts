import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasPendingTransaction } from '../hub/index.ts'
import {
  type Carried,
  contextOf,
  type Destination,
  type RequestContext,
  titleOf,
  withCarried,
} from '../portal/index.ts'
import { levelOf } from '../sessions/index.ts'
import { forbiddenContent } from '../verify/index.ts'
import {
  cookieRefusedPage,
  secondFactorPage,
  signedInPage,
  signInPage,
  type Tile,
} from './pages.ts'
import type { LoginServices } from './services.ts'

export type StepPagesServices = Pick<
  LoginServices,
  | 'access'
  | 'adminGroups'
  | 'base'
  | 'forgotten'
  | 'hasAdmin'
  | 'icons'
  | 'pages'
  | 'webauthn'
  | 'show'
>

/** One request for the portal: its facts, collected before any of them is answered. */
export interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly context: RequestContext
  readonly carried: Carried
  /** Names in the query. */
  readonly flags: ReadonlySet<string>
  readonly destination: Destination
}

/** The pages of the flow's own steps. */
export function createStepPages(services: StepPagesServices, formAction: readonly string[]) {
  const { base, show, pages, webauthn, forgotten } = services

  return {
    signIn: ({ request, reply, context, carried, flags, destination }: Asked) =>
      show(request, reply, (t) =>
        signInPage(t, {
          carried,
          host: titleOf(destination),
          failed: flags.has('failed'),
          signedOut: flags.has('signed-out'),
          waiting: hasPendingTransaction(request),
          rememberMe: context.domain.rememberMe,
          passkeys: webauthn.hasPasskeys && context.domain.portalUrl !== undefined,
          forgotten,
          formAction,
          base,
        }),
      ),

    cookieRefused: ({ request, reply, context, carried }: Asked) =>
      show(request, reply, (t) =>
        cookieRefusedPage(t, {
          carried,
          domain: context.domain.domain,
          insecure: !context.secure,
          portal: context.domain.portalUrl?.href ?? '',
          base,
        }),
      ),

    secondFactor: ({ request, reply, context }: Asked, host: string) =>
      show(
        request,
        reply,
        (t) => secondFactorPage(t, { user: displayNameOf(context), host, base }),
        403,
      ),

    notAllowed: (request: FastifyRequest, reply: FastifyReply, host: string, carried: Carried) =>
      show(
        request,
        reply,
        (t) => ({
          title: t('verify.forbidden.title'),
          content: forbiddenContent(t, {
            user: displayNameOf(contextOf(request)),
            host,
            switchUrl: withCarried(`${base}/logout`, carried),
            homeUrl: `${base}/`,
          }),
          requestId: request.id,
        }),
        403,
      ),

    signedIn: ({ request, reply, context }: Asked) =>
      show(request, reply, (t) =>
        signedInPage(t, {
          user: displayNameOf(context),
          address: context.identity?.session.address ?? '',
          apps: appsOf(services, context),
          pages: [
            ...pages.map(({ path, title }) => ({
              href: `${base}/settings/${path}`,
              title: t(title),
            })),
            ...(isAdministrator(services, context)
              ? [{ href: `${base}/admin`, title: t('admin.pages') }]
              : []),
          ],
          formAction,
          base,
        }),
      ),
  }
}

const displayNameOf = ({ identity }: RequestContext): string => identity?.profile.displayName ?? ''

/** The apps that the rules open to this user. */
function appsOf(
  { access, icons, base }: StepPagesServices,
  { identity, address }: RequestContext,
): Tile[] {
  if (identity === undefined) return []
  const { name, groups } = identity.profile
  return access
    .apps({ user: name, groups, clientId: '' }, levelOf(identity.session), address)
    .map(({ title, url, host, icon }) => {
      const picture = icon === undefined ? undefined : icons.urlOf(icon)
      return { title, url, host, picture: picture === undefined ? undefined : base + picture }
    })
}

const isAdministrator = (
  { hasAdmin, adminGroups }: Pick<LoginServices, 'hasAdmin' | 'adminGroups'>,
  { identity }: RequestContext,
): boolean =>
  hasAdmin && (identity?.profile.groups.some((group) => adminGroups.includes(group)) ?? false)
