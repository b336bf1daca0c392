import http from 'node:http'
import type { TestContext } from 'node:test'
import { createSessions, type Sessions } from '../../src/features/sessions/index.ts'
import manifest from '../../src/features/sessions/manifest.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { explained } from '../support/endings.ts'
import { configFor, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { Roster, valueIn } from './house.ts'
import { openRedisStore } from './redis-house.ts'

const SECRET = 'a secret that all nodes of the tests share'
export const NODES_SECRET = new Secret(SECRET)
const COOKIES = [
  { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost:9091' },
]
/** Long enough that a test is over before anything is; a run of hours says otherwise. */
const LIVES = { expiration: '6h', inactivity: '1h' }

/** A server whose sessions are in this Redis. */
export async function startNode(
  t: Pick<TestContext, 'after'>,
  redis: Readonly<Record<string, unknown>>,
  session: Readonly<Record<string, unknown>> = {},
): Promise<RunningServer> {
  return startServer(t, {
    config: {
      ...CHEAP,
      session: { secret: SECRET, cookies: COOKIES, ...LIVES, ...session, redis },
    },
    users: await usersYaml({ john: {}, jane: {} }),
  })
}

/** Signs people in without a password: sessions as a node would start them, in the same Redis. */
export interface Minter {
  readonly sessions: Sessions
  /** @returns the header that a browser would send, and the session's store key */
  mint(user: string): Promise<{ cookie: string; key: string; id: string }>
}

export async function openMinter(
  t: Pick<TestContext, 'after'>,
  redis: Readonly<Record<string, unknown>>,
): Promise<Minter> {
  const { store } = await openRedisStore(t, redis, { prefix: 'vestibule:' })
  const users = new Roster()
  const sessions = createSessions({
    config: manifest.config.session.parse({ cookies: COOKIES, ...LIVES }),
    store,
    secrets: [NODES_SECRET],
    users,
    clock: systemClock,
    log: { warn() {}, error() {} },
  })
  t.after(() => sessions.close())
  const [domain] = sessions.domains
  if (domain === undefined) throw new TypeError('no cookie domain')
  return {
    sessions,
    async mint(user) {
      const { session, cookie } = await sessions.start({
        domain,
        profile: users.profile(user) ?? users.add(user),
        factors: ['password'],
        remember: false,
        address: '198.51.100.7',
        userAgent: 'Mozilla/5.0 (test)',
        replaces: [],
      })
      return { cookie: `vestibule_session=${valueIn(cookie)}`, key: session.key, id: session.id }
    },
  }
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

export interface Verdict {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly setCookie: readonly string[] | undefined
}

/** Asks a node about an app, over a kept connection, as a proxy does. */
export function verify(port: number, cookie: string | undefined, host = 'app'): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      {
        host: '127.0.0.1',
        port,
        path: '/api/authz/auth-request',
        agent,
        headers: {
          'X-Original-URL': `https://${host}.vestibule.localhost/`,
          'X-Original-Method': 'GET',
          ...(cookie !== undefined && { Cookie: cookie }),
        },
      },
      (answer) => {
        answer.resume()
        answer.once('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            retryAfter: answer.headers['retry-after'],
            setCookie: answer.headers['set-cookie'],
          }),
        )
      },
    )
    request.on('error', (error) => void explained(error, port).then(reject))
  })
}

export { configFor }
