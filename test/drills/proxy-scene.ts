/** One real proxy with the printed text, an app behind it, and a server that it asks; both sides are written down. */
import assert from 'node:assert/strict'
import { setupFor } from '../../src/features/proxy-config/index.ts'
import { parseListenAddress } from '../../src/kernel/address.ts'
import { type DemoApp, startDemoApp } from '../support/demo-app.ts'
import { freePort } from '../support/nginx.ts'
import type { StartProxy } from '../support/proofs/scene.ts'
import { type Recorder, startRecorder } from '../support/recorder.ts'
import { PASSWORD, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import {
  ACCESS_CONTROL,
  COOKIE,
  createProxyWorld,
  DOMAIN,
  HOSTS,
  host,
  PEOPLE,
} from './proxy-world.ts'
import type { World } from './reference.ts'

export interface ProxyScene {
  readonly app: DemoApp
  readonly recorder: Recorder
  readonly world: World
  /** Values of live session cookies. */
  readonly sessions: readonly string[]
  /** Starts one more proxy in front of the same. @returns its port */
  start(start: StartProxy): Promise<number>
}

export async function openProxyScene(t: Parameters<StartProxy>[0]): Promise<ProxyScene> {
  const app = await startDemoApp(t)
  const portal = `http://auth.${DOMAIN}:8080/`
  const server = await startServer(t, {
    config: {
      ...CHEAP,
      session: { cookies: [{ domain: DOMAIN, portal_url: portal, name: COOKIE }] },
      access_control: ACCESS_CONTROL,
    },
    users: await usersYaml(
      Object.fromEntries(
        PEOPLE.map(({ name, displayName, email, groups }) => [
          name,
          { displayname: displayName, groups, ...(email !== '' && { email }) },
        ]),
      ),
    ),
  })
  const recorder = await startRecorder(t, server.port)
  const address = parseListenAddress(`tcp://127.0.0.1:${recorder.port}`)
  assert.ok(address)
  const cookies = await Promise.all(
    PEOPLE.map(({ name }) => signIn(server.port, name, PASSWORD, `auth.${DOMAIN}`)),
  )
  const sessions = cookies.map((cookie) => cookie.slice(cookie.indexOf('=') + 1))
  const entries = sessions.flatMap((value, index) => {
    const person = PEOPLE[index]
    return person === undefined ? [] : [[value, { domain: DOMAIN, person }] as const]
  })
  return {
    app,
    recorder,
    sessions,
    world: createProxyWorld(portal, new Map(entries)),
    async start(start) {
      const port = await freePort()
      const setup = setupFor(
        {
          address,
          domains: [{ domain: DOMAIN, hostOnly: false, portalUrl: new URL(portal), name: COOKIE }],
          identityHeaders: {
            user: 'Remote-User',
            groups: 'Remote-Groups',
            name: 'Remote-Name',
            email: 'Remote-Email',
          },
        },
        { hosts: HOSTS.map(host), app: `127.0.0.1:${app.port}`, listen: `127.0.0.1:${port}` },
      )
      await start(t, setup)
      return port
    },
  }
}
