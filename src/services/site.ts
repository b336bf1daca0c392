import { createAccess, createLiveAccess } from '../features/access/index.ts'
import { forgottenPath } from '../features/password-reset/index.ts'
import { isSignedIn, type StepContributor } from '../features/portal/index.ts'
import { createFactorsPage, secondFactorStep } from '../features/second-factor/index.ts'
import {
  createPasswordPage,
  createPlaces,
  ownPages,
  passwordStep,
  type SettingsPage,
} from '../features/settings/index.ts'
import {
  createEntrance,
  createIdentity,
  createRefusedRequests,
  isVerifyPath,
} from '../features/verify/index.ts'
import { messageCatalogues } from '../features.ts'
import { loadScript } from '../http/assets.ts'
import { type Brands, createBrands } from '../http/brands.ts'
import { createHeaderSets } from '../http/headers.ts'
import { createIcons } from '../http/icons.ts'
import { createLayout } from '../http/layout.ts'
import { createMessages } from '../http/messages.ts'
import { withoutBase } from '../http/own-paths.ts'
import { createPeers } from '../http/peers.ts'
import { createReplies } from '../http/replies.ts'
import type { BoundOperation } from '../kernel/operation.ts'
import type { Services } from './index.ts'

/** What features add to the sign-in flow, in the order in which they are asked. */
const steps: readonly ((services: Services) => StepContributor)[] = [
  () => passwordStep,
  ({ secondFactor }) => secondFactorStep(secondFactor),
]

/** The pages below `/settings/`, in the order in which they are offered; `/settings` leads to the first one. */
function settingsPages(services: Services): readonly [SettingsPage, ...SettingsPage[]] {
  const { users, policy, secondFactor, webauthn } = services
  const [sessions, ...others] = ownPages
  const keys = webauthn.isOn ? webauthn : undefined
  return [
    sessions,
    createPasswordPage({ users, policy }),
    createFactorsPage({ secondFactor, keys }),
    ...others,
  ]
}

/** What the pages of each cookie domain look like. */
function brandsOf({ config, sessions }: Services): Brands {
  const own = sessions.domains.flatMap(({ domain, branding }) =>
    branding === undefined ? [] : [[domain, branding] as const],
  )
  return createBrands(config['branding'], new Map(own))
}

export type Site = ReturnType<typeof createSite>

/** What every feature's routes are registered with: the services, and what answers are made with. */
export function createSite(services: Services, operations: readonly BoundOperation[]) {
  const { config, clock, log, sessions, secondFactor } = services
  const { address, headers: sent } = config['server']
  const base = address.basePath === '/' ? '' : address.basePath
  const headers = createHeaderSets({ hsts: sent.hsts, frameAncestors: sent.frame_ancestors })
  const messages = createMessages(messageCatalogues)
  const script = loadScript()
  const brands = brandsOf(services)
  const layout = createLayout({ script, brands, headers, base })
  const icons = createIcons(log)
  // A picture that is missing is said at the start, not when a user opens the page.
  for (const { icon } of config['access_control'].rules) if (icon !== undefined) icons.urlOf(icon)
  const peers = createPeers({ trustedProxies: config['trusted_proxies'], log })
  const replies = createReplies({
    ...{ headers, layout, messages, log, base },
    answersInText: isVerifyPath,
    isSignedIn: (request) => isSignedIn(request, { sessions, peers }),
    domainOf: (request) => request.portalContext?.domain.domain,
  })
  return {
    ...services,
    ...{ operations, headers, messages, layout, icons, peers, replies, base },
    assets: [script, ...brands.files],
    access: createLiveAccess(createAccess(config['access_control'], config['definitions'].network)),
    entrance: createEntrance(base === '' ? undefined : (url) => withoutBase(url, base)),
    contributors: steps.map((make) => make(services)),
    pages: settingsPages(services),
    forgotten: forgottenPath(services, base),
    elevation: secondFactor.elevation,
    trusted: secondFactor.trusted,
    adminGroups: config['admin'].groups,
    hasAdmin: !config['admin'].disable,
    present: createIdentity(config['identity_headers'], log),
    refused: createRefusedRequests({ clock }),
    places: createPlaces(config['location_database'], log),
    // There is no OpenID provider.
    interactions: undefined,
  }
}
