import { createAccess, createLiveAccess } from '../features/access/index.ts'
import { isSignedIn, type StepContributor } from '../features/portal/index.ts'
import { createFactorsPage, secondFactorStep } from '../features/second-factor/index.ts'
import { createPasswordPage, ownPages, type SettingsPage } from '../features/settings/index.ts'
import { createEntrance, isVerifyPath } from '../features/verify/index.ts'
import { messageCatalogues } from '../features.ts'
import { loadAssets } from '../http/assets.ts'
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
  ({ secondFactor }) => secondFactorStep(secondFactor),
]

/** The pages below `/settings/`, in the order in which they are offered; `/settings` leads to the first one. */
function settingsPages(services: Services): readonly [SettingsPage, ...SettingsPage[]] {
  const { users, secondFactor, webauthn } = services
  const [sessions, ...others] = ownPages
  const keys = webauthn.isOn ? webauthn : undefined
  return [
    sessions,
    createPasswordPage({ users }),
    createFactorsPage({ secondFactor, keys }),
    ...others,
  ]
}

export type Site = ReturnType<typeof createSite>

/** What every feature's routes are registered with: the services, and what answers are made with. */
export function createSite(services: Services, operations: readonly BoundOperation[]) {
  const { config, log, sessions, secondFactor } = services
  const { address, headers: sent } = config['server']
  const base = address.basePath === '/' ? '' : address.basePath
  const headers = createHeaderSets({ hsts: sent.hsts, frameAncestors: sent.frame_ancestors })
  const messages = createMessages(messageCatalogues)
  const { accent, title: brand } = config['branding']
  const assets = loadAssets(accent)
  const layout = createLayout({ assets, headers, brand, base })
  const icons = createIcons(log)
  // A picture that is missing is said at the start, not when a user opens the page.
  for (const { icon } of config['access_control'].rules) if (icon !== undefined) icons.urlOf(icon)
  const peers = createPeers({ trustedProxies: config['trusted_proxies'], log })
  const replies = createReplies({
    ...{ headers, layout, messages, log, base },
    answersInText: isVerifyPath,
    isSignedIn: (request) => isSignedIn(request, { sessions, peers }),
  })
  return {
    ...services,
    ...{ operations, headers, messages, assets, layout, icons, peers, replies, base },
    access: createLiveAccess(createAccess(config['access_control'], config['definitions'].network)),
    entrance: createEntrance(base === '' ? undefined : (url) => withoutBase(url, base)),
    contributors: steps.map((make) => make(services)),
    pages: settingsPages(services),
    elevation: secondFactor.elevation,
    trusted: secondFactor.trusted,
    adminGroups: config['admin'].groups,
    // There is no OpenID provider.
    interactions: undefined,
  }
}
