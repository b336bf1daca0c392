import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { type PortalContextsOptions, portalContexts } from '../../src/features/portal/index.ts'
import { createMemoryStore, type Session } from '../../src/features/sessions/index.ts'
import { messageCatalogues } from '../../src/features.ts'
import { loadScript } from '../../src/http/assets.ts'
import { createBrands } from '../../src/http/brands.ts'
import { guards } from '../../src/http/guard.ts'
import { createHeaderSets } from '../../src/http/headers.ts'
import { createLayout } from '../../src/http/layout.ts'
import { createMessages, type Messages } from '../../src/http/messages.ts'
import { createPeers } from '../../src/http/peers.ts'
import { createReplies, type Replies } from '../../src/http/replies.ts'
import { readPairs } from '../../src/kernel/pairs.ts'
import { type House, openHouse } from '../sessions/house.ts'

export interface Scene {
  readonly app: FastifyInstance
  readonly house: House
  readonly messages: Messages
  readonly replies: Replies
  /** Asks the portal of example.com, with the session cookie of this value. */
  get(url: string, cookie?: string): Promise<Awaited<ReturnType<FastifyInstance['inject']>>>
}

/** Fastify with everything that stands in front of a portal's route, over real sessions. Routes are the test's own. */
export async function openScene(
  t: TestContext,
  {
    adminGroups = [],
    more = {},
  }: {
    readonly adminGroups?: readonly string[]
    /** What every session has besides. */
    readonly more?: Partial<Session> & Readonly<Record<string, unknown>>
  } = {},
): Promise<Scene> {
  const house = openHouse(t, { store: createMemoryStore() })
  const log = pino({ level: 'silent' })
  const headers = createHeaderSets({ hsts: undefined, frameAncestors: [] })
  const messages = createMessages(messageCatalogues)
  const layout = createLayout({
    script: loadScript(),
    brands: createBrands({ title: 'Test' }),
    headers,
    base: '',
  })
  const replies = createReplies({
    ...{ headers, layout, messages, log, base: '' },
    isSignedIn: async () => false,
    answersInText: () => false,
  })
  const sessions: PortalContextsOptions['sessions'] = {
    ...house.sessions,
    domains: house.sessions.domains,
    async identify(...asked) {
      const found = await house.sessions.identify(...asked)
      return found && { ...found, session: { ...found.session, ...more } }
    },
  }
  const app = Fastify({ routerOptions: { querystringParser: readPairs } })
  t.after(() => app.close())
  await app.register(guards)
  replies.installErrorHandlers(app)
  const peers = createPeers({ trustedProxies: [], log })
  await app.register(portalContexts, { sessions, peers, adminGroups, clock: house.clock })
  return {
    ...{ app, house, messages, replies },
    get: (url, cookie) =>
      app.inject({
        url,
        headers: {
          host: 'auth.example.com',
          ...(cookie !== undefined && { cookie: `${house.domain.name}=${cookie}` }),
        },
      }),
  }
}
