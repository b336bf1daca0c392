import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { pino } from 'pino'
import { createAccess } from '../../src/features/access/index.ts'
import accessManifest from '../../src/features/access/manifest.ts'
import type { EventName, Happening } from '../../src/features/audit/index.ts'
import {
  contextOf,
  ownerOf,
  type PortalContextsOptions,
  portalContexts,
} from '../../src/features/portal/index.ts'
import {
  createWebauthn,
  passkeyRoutes,
  type SharedFactor,
  type Webauthn,
  webauthnRoutes,
} from '../../src/features/second-factor/methods/webauthn/index.ts'
import manifest from '../../src/features/second-factor/methods/webauthn/manifest.ts'
import type {
  Metadata,
  MetadataOptions,
} from '../../src/features/second-factor/methods/webauthn/metadata/metadata.ts'
import {
  type CookieDomain,
  createMemoryStore,
  createSqliteOnce,
} from '../../src/features/sessions/index.ts'
import { createThrottle } from '../../src/features/throttle/index.ts'
import throttleManifest from '../../src/features/throttle/manifest.ts'
import { messageCatalogues, migrations } from '../../src/features.ts'
import { type Asset, assetRoutes, type FileAsset, loadScript } from '../../src/http/assets.ts'
import { createBrands } from '../../src/http/brands.ts'
import { guards } from '../../src/http/guard.ts'
import { createHeaderSets } from '../../src/http/headers.ts'
import { createLayout } from '../../src/http/layout.ts'
import { createMessages, type Messages } from '../../src/http/messages.ts'
import { createPeers } from '../../src/http/peers.ts'
import { createReplies, type Replies } from '../../src/http/replies.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { readPairs } from '../../src/kernel/pairs.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { type House, openHouse, SECRET, valueIn } from '../sessions/house.ts'

export interface WebauthnScene {
  readonly app: FastifyInstance
  readonly house: House
  readonly storage: Storage
  readonly webauthn: Webauthn
  readonly assets: readonly (Asset | FileAsset)[]
  readonly messages: Messages
  readonly replies: Replies
  readonly options: PortalContextsOptions
  /** What was written down, by name. */
  readonly events: (readonly [EventName, Happening])[]
  readonly logged: readonly string[]
  /** What was reported of wrong answers. */
  readonly failed: readonly string[]
  /** A session with the password; elevated for ten minutes unless told otherwise. */
  signIn(
    user: string,
    more?: { readonly domain?: CookieDomain; readonly elevated?: boolean },
  ): Promise<Browser>
}

export interface Answer {
  readonly status: number
  // JSON of any shape: the tests say what they expect of it.
  // biome-ignore lint/suspicious/noExplicitAny: JSON of answers
  readonly json: any
  readonly cookies: readonly string[]
}

/** Keeps its cookies. */
export interface Browser {
  readonly origin: string
  readonly rpId: string
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown): Promise<Answer>
}

export interface SceneOptions {
  /** The webauthn slice; users may sign in with a passkey unless told otherwise. */
  readonly config?: Readonly<Record<string, unknown>>
  /** The session slice. */
  readonly session?: Readonly<Record<string, unknown>>
  /** `failed_login_rate_limit`; off unless told otherwise. */
  readonly limits?: string
  readonly secondFactor?: Partial<SharedFactor>
  readonly metadata?: (
    tools: Pick<MetadataOptions, 'clock' | 'log'>,
  ) => Promise<Metadata | undefined>
}

const MINUTE = 60_000

/** The routes of keys and passkeys over real sessions, a real database and the real limits. */
export async function openWebauthnScene(
  t: Pick<TestContext, 'after'>,
  {
    config = {},
    session,
    limits = 'disable',
    secondFactor: more = {},
    metadata,
  }: SceneOptions = {},
): Promise<WebauthnScene> {
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })
  const storage = await openStorage({ path: ':memory:', migrations, log })
  t.after(() => storage.close())
  const house = openHouse(t as TestContext, {
    store: createMemoryStore(),
    ...(session !== undefined && { config: session }),
  })
  const { sessions, clock, users } = house
  const throttle = await createThrottle({
    redis: undefined,
    limits: throttleManifest.config.failed_login_rate_limit.parse(limits),
    regulation: throttleManifest.config.regulation.parse(undefined),
    storage,
    users: { costliest: () => undefined, onInvalidated: () => {} },
    passwords: { measure: async () => 1, span: () => 1 },
    ...{ clock, log },
  })
  t.after(() => throttle.close())
  const webauthn = createWebauthn({
    config: manifest.config.webauthn.parse({ enable_passkey_login: true, ...config }),
    storage,
    sealer: createSealer([SECRET], 'storage'),
    secrets: [SECRET],
    once: createSqliteOnce(storage),
    clock,
    metadata: await metadata?.({ clock, log }),
  })
  const headers = createHeaderSets({ hsts: undefined, frameAncestors: [] })
  const messages = createMessages(messageCatalogues)
  const script = loadScript()
  const brands = createBrands({ title: 'Test' })
  const assets = [script, ...brands.files]
  const layout = createLayout({ script, brands, headers, base: '' })
  const replies = createReplies({
    ...{ headers, layout, messages, log, base: '' },
    isSignedIn: async () => false,
    answersInText: () => false,
  })
  const app = Fastify({ routerOptions: { querystringParser: readPairs } })
  t.after(() => app.close())
  await app.register(guards)
  replies.installErrorHandlers(app)
  const options = {
    sessions,
    clock,
    adminGroups: [],
    peers: createPeers({ trustedProxies: [], log }),
  }
  const access = createAccess(
    accessManifest.config.access_control.parse({
      default_policy: 'deny',
      rules: [
        { domain: 'bank.example.com', policy: 'two_factor' },
        { domain: 'wiki.example.com', policy: 'one_factor' },
      ],
    }),
    {},
  )
  const events: (readonly [EventName, Happening])[] = []
  const failed: string[] = []
  const record = (name: EventName, event: Happening) => void events.push([name, event])
  const ownEvent = (request: FastifyRequest) => {
    const { user } = ownerOf(request).session
    return { user, actor: `user:${user}` as const }
  }
  const secondFactor: SharedFactor = {
    attempt: (_user, check) => check(),
    async pass(request, reply, factor) {
      const { session: old, profile } = ownerOf(request)
      const raised = await sessions.raise({ key: old.key, factor })
      if (raised === undefined) throw new Error('the session is over')
      reply.header('Set-Cookie', raised.cookie)
      return { session: raised.session, profile }
    },
    fail: (request, factor) => void failed.push(`${contextOf(request).domain.domain} ${factor}`),
    mayEnrol: async () => true,
    trusted: { prepare: () => async () => {} },
    async enrolled(request, method) {
      record('factor.added', { ...ownEvent(request), details: { method } })
    },
    async removed(request, method) {
      record('factor.removed', { ...ownEvent(request), details: { method, reason: 'asked' } })
    },
    ...more,
  }
  const shared = {
    ...options,
    webauthn,
    access,
    interactions: undefined,
    replies,
    log,
    audit: { record },
  }
  await app.register(webauthnRoutes, { ...shared, secondFactor })
  await app.register(passkeyRoutes, { ...shared, users, throttle })
  await app.register(assetRoutes, { assets, headers })
  await app.register(async (pages) => {
    await pages.register(portalContexts, options)
    pages.get('/who', { config: { guard: 'public' } }, (request) => {
      const { identity } = contextOf(request)
      return {
        user: identity?.profile.name,
        factors: identity?.session.factors.map(({ kind }) => kind),
      }
    })
  })

  return {
    ...{
      app,
      house,
      storage,
      webauthn,
      assets,
      messages,
      replies,
      options,
      events,
      logged,
      failed,
    },
    async signIn(user, { domain = house.domain, elevated = true } = {}) {
      const { value, key } = await house.signIn(user, { domain })
      const until = (clock.now() + 10 * MINUTE) as EpochMs // a time of the test
      const raised = elevated ? await sessions.elevate({ key, until }) : undefined
      return browserAt(app, domain, raised === undefined ? value : valueIn(raised.cookie))
    },
  }
}

/** Its cookie jar holds this session, or none. */
export function browserAt(app: FastifyInstance, domain: CookieDomain, session?: string): Browser {
  const portal = domain.portalUrl
  if (portal === undefined) throw new TypeError('no portal')
  const jar = new Map<string, string>()
  if (session !== undefined) jar.set(domain.name, session)
  return {
    origin: portal.origin,
    rpId: portal.hostname,
    async ask(method, url, body) {
      const answer = await app.inject({
        method,
        url,
        headers: {
          host: portal.host,
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && {
          payload: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      })
      const cookies = [answer.headers['set-cookie'] ?? []].flat()
      for (const cookie of cookies) {
        const [pair = ''] = cookie.split(';')
        jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
      return {
        status: answer.statusCode,
        json: answer.body.startsWith('{') ? JSON.parse(answer.body) : undefined,
        cookies,
      }
    },
  }
}

/** 256 bits that nobody issued. */
export const stranger = (): string => randomBytes(32).toString('base64url')
