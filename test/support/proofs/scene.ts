/** What a proof is run in: one real proxy with our text in front of an app, and a server that it asks. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type ProxySetup, setupFor } from '../../../src/features/proxy-config/index.ts'
import { parseListenAddress } from '../../../src/kernel/address.ts'
import { type DemoApp, startDemoApp } from '../demo-app.ts'
import { freePort } from '../nginx.ts'
import {
  type Answer,
  PASSWORD,
  type RunningServer,
  request,
  signIn,
  startServer,
} from '../server.ts'
import { CHEAP, usersYaml } from '../users.ts'
import { openSocket as openSocketAt } from '../wire.ts'

export const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'
export const DOMAIN = 'vestibule.localhost'
/** Of the scene with two of them, with another cookie. */
export const SECOND = 'second.localhost'
/** The hosts of the app behind the proxy. `open` is another app's, somewhere else, and open to everybody. */
export const HOSTS = ['app', 'public', 'admin', 'bank'] as const
export const ELSEWHERE = 'open'
export const IDENTITY = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email'] as const

/** Not the address that a proxy asks from. */
export const CLIENT = '127.0.0.5'
/** Ours, and not what a client said; Envoy calls a client on the same machine by the machine's address. */
export const ADDRESS = /^(?!203\.0\.113\.)[\d.]+$/
export const DEFAULT: Names = {
  cookie: 'vestibule_session',
  basePath: '',
  identityHeaders: {
    user: IDENTITY[0],
    groups: IDENTITY[1],
    name: IDENTITY[2],
    email: IDENTITY[3],
  },
}
/** With signs that patterns know, as many as a configuration takes. */
export const OWN: Names = {
  cookie: 'my.session+$1',
  basePath: '/auth.d',
  identityHeaders: {
    user: 'X-Auth-User',
    groups: 'X_Auth_Groups',
    name: 'X-Auth-Full-Name',
    email: 'X-Mail',
  },
}
export const TWO: Names = { ...DEFAULT, second: { domain: SECOND, cookie: 'second_session' } }
/** Some 6 KiB together. */
export const MANY_GROUPS = Array.from({ length: 400 }, (_, index) => `department-${index}`)

export type Host = (typeof HOSTS)[number] | typeof ELSEWHERE | 'auth'

export interface Scene {
  readonly app: DemoApp
  readonly server: RunningServer
  readonly port: number
  /** John's session, `name=value`. */
  readonly cookie: string
  /** Sessions of others; one more of John's to sign out. Signed in together, because an answer takes its time. */
  readonly others: { readonly bob: string; readonly ann: string; readonly leaving: string }
  readonly portal: string
  /** Each cookie domain with its portal and somebody's session there, `name=value`. */
  readonly domains: readonly {
    readonly domain: string
    readonly portal: string
    readonly user: string
    readonly cookie: string
  }[]
  /** One request through the proxy, to `app` unless another host is named. */
  ask(path: string, options?: Asked): Promise<Answer>
  /** What the app saw while this was done. */
  during(work: () => Promise<unknown>): Promise<DemoApp['seen']>
}

export interface Asked {
  readonly host?: Host
  readonly domain?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Starts the real program with the snippet for this setup, until the suite ends. */
export type StartProxy = (t: Pick<TestContext, 'after'>, setup: ProxySetup) => Promise<void>

export interface Proof {
  readonly title: string
  readonly prove: (scene: Scene) => Promise<void>
}

/** What somebody may call things. */
export interface Names {
  readonly cookie: string
  readonly basePath: string
  readonly identityHeaders: ProxySetup['identityHeaders']
  /** Another cookie domain. */
  readonly second?: { readonly domain: string; readonly cookie: string }
}

export async function openScene(
  t: Pick<TestContext, 'after'>,
  start: StartProxy,
  { cookie: cookieName, basePath, identityHeaders, second }: Names,
): Promise<Scene> {
  const app = await startDemoApp(t)
  const port = await freePort()
  const portal = `http://auth.${DOMAIN}:${port}`
  const vestibule = await freePort()
  const address = `tcp://127.0.0.1:${vestibule}${basePath}`
  const domains = [
    { domain: DOMAIN, name: cookieName, user: 'john' },
    ...(second === undefined ? [] : [{ domain: second.domain, name: second.cookie, user: 'bob' }]),
  ].map((one) => ({ ...one, portal: `http://auth.${one.domain}:${port}` }))
  const server = await startServer(t, {
    port: vestibule,
    config: {
      ...CHEAP,
      server: { address },
      session: {
        cookies: domains.map((one) => ({
          domain: one.domain,
          portal_url: `${one.portal}${basePath}`,
          name: one.name,
        })),
      },
      identity_headers: identityHeaders,
      access_control: {
        default_policy: 'deny',
        rules: [
          {
            domain: [DOMAIN, SECOND].flatMap((one) => [`public.${one}`, `${ELSEWHERE}.${one}`]),
            policy: 'bypass',
          },
          { domain: [`app.${DOMAIN}`, `app.${SECOND}`], policy: 'one_factor' },
          { domain: `admin.${DOMAIN}`, policy: 'one_factor', subject: 'group:admins' },
          { domain: `bank.${DOMAIN}`, policy: 'two_factor' },
        ],
      },
    },
    users: await usersYaml({
      john: { groups: ['admins', 'dev'], email: 'john@example.com', displayname: 'Jöhn Døe' },
      bob: {},
      ann: { groups: MANY_GROUPS },
    }),
  })
  const listen = parseListenAddress(address)
  assert.ok(listen)
  const setup = setupFor(
    {
      address: listen,
      domains: domains.map((one) => ({
        ...one,
        hostOnly: false,
        portalUrl: new URL(`${one.portal}${basePath}/`),
      })),
      identityHeaders,
    },
    {
      hosts: domains.flatMap(({ domain }) => HOSTS.map((host) => `${host}.${domain}`)),
      app: `127.0.0.1:${app.port}`,
      listen: `127.0.0.1:${port}`,
    },
  )
  await start(t, { ...setup, cookieNames: ['another_session', ...setup.cookieNames] })
  const [cookie = '', bob = '', ann = '', leaving = ''] = await Promise.all(
    ['john', 'bob', 'ann', 'john'].map((name) => signIn(server.port, name)),
  )
  const sessions = await Promise.all(
    domains.map(({ domain, user }) => signIn(server.port, user, PASSWORD, `auth.${domain}`)),
  )
  return {
    others: { bob, ann, leaving },
    app,
    server,
    port,
    cookie,
    portal,
    domains: domains.map((one, index) => ({ ...one, cookie: sessions[index] ?? '' })),
    ask: (path, { host = 'app', domain = DOMAIN, method = 'GET', headers = {}, body } = {}) =>
      request(port, path, {
        method,
        headers: { Host: `${host}.${domain}:${port}`, ...headers },
        ...(body !== undefined && { body }),
      }),
    async during(work) {
      const seen = app.seen.length
      await work()
      return app.seen.slice(seen)
    },
  }
}

export const openSocket = (port: number, headers: Readonly<Record<string, string>>) =>
  openSocketAt(port, `app.${DOMAIN}`, headers)

/** How a no is worded (302, 401) is what `script` and its kin are about. */
export const assertNo = (status: number): void =>
  assert.ok([302, 401].includes(status) || status >= 400, String(status))

/** What the app got; a semicolon may be left at the end. */
export const cookiesOf = (app: DemoApp): readonly string[] =>
  app.folded('Cookie').map((text) => text.replace(/;\s*$/, ''))
