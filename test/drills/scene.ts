/** The server of the fuzz drill, with people signed in to it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/nginx.ts'
import { configFor, PASSWORD, request } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import type { Cleanup } from './options.ts'
import type { Person, World } from './reference.ts'
import { type DrilledServer, spawnServer } from './server.ts'
import { BRIEF, CONFIG, createWorld, DOMAINS, LEAVER, PEOPLE } from './world.ts'

/** A cookie's value and whose it was; dead ones were good once. */
export interface Cookie {
  readonly value: string
  readonly domain: string
  readonly person: Person
  readonly state: 'live' | 'signed-out' | 'expired' | 'removed'
}

export interface Scene {
  readonly port: number
  readonly server: DrilledServer
  readonly world: World
  readonly cookies: readonly Cookie[]
}

export async function openScene(cleanup: Cleanup): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-drill-'))
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const users = join(folder, 'data', 'users.yml')
  const configFile = join(folder, 'config.yml')
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  const everybody = await usersFile([...PEOPLE, LEAVER])
  writeFileSync(users, everybody)
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(configFor(port, folder, { ...CHEAP, ...CONFIG })))
  const server = spawnServer(folder, configFile)
  cleanup.after(async () => {
    server.child.kill('SIGTERM')
    await server.ended
  })
  await server.ready
  const cookies: Cookie[] = []
  const enter = async (domain: string, person: Person, state: Cookie['state'] = 'live') => {
    const value = await signIn(port, domain, person.name)
    cookies.push({ value, domain, person, state })
    return value
  }
  for (const { domain } of DOMAINS) {
    for (const person of PEOPLE) {
      await enter(domain, person, domain === BRIEF ? 'expired' : 'live')
      if (domain === 'example.com') await enter(domain, person)
    }
    await signOut(port, domain, await enter(domain, PEOPLE[0] ?? LEAVER, 'signed-out'))
  }
  const left = await enter('example.com', LEAVER, 'removed')
  // The others keep their digests: who has a new password is signed out.
  writeFileSync(users, withoutUser(everybody, LEAVER.name))
  // Taken up when the file is noticed; a second more than the short-lived sessions have.
  for (let tries = 0; (await isKnown(port, left)) && tries < 200; tries++) await sleep(50)
  await sleep(1100)

  const live = cookies.filter(({ state }) => state === 'live')
  const sessions = new Map(live.map(({ value, domain, person }) => [value, { domain, person }]))
  return { port, server, world: createWorld(sessions), cookies }
}

function usersFile(people: readonly Person[]): Promise<string> {
  return usersYaml(
    Object.fromEntries(
      people.map(({ name, displayName, email, groups }) => [
        name,
        { displayname: displayName, groups, ...(email !== '' && { email }) },
      ]),
    ),
  )
}

function withoutUser(file: string, name: string): string {
  const { users }: { users: Record<string, unknown> } = JSON.parse(file)
  const { [name]: _, ...others } = users
  return JSON.stringify({ users: others })
}

const portalHost = (domain: string): string =>
  /^[0-9.]+$/.test(domain) ? domain : `auth.${domain}`

function signIn(port: number, domain: string, username: string): Promise<string> {
  return post(port, domain, '/api/firstfactor', { username, password: PASSWORD }, '')
}

/** @returns the value of the cookie that was set */
async function post(
  port: number,
  domain: string,
  path: string,
  body: unknown,
  cookie: string,
): Promise<string> {
  const answer = await request(port, path, {
    method: 'POST',
    headers: {
      Host: portalHost(domain),
      'Content-Type': 'application/json',
      ...(cookie !== '' && { Cookie: cookie }),
    },
    body: JSON.stringify(body),
  })
  const [, value] = /^[^=]+=([^;]*)/.exec(answer.headers['set-cookie']?.[0] ?? '') ?? []
  if (answer.status !== 200 || value === undefined)
    throw new Error(`${path} at ${domain} was answered ${answer.status}: ${answer.body}`)
  return value
}

async function signOut(port: number, domain: string, value: string): Promise<void> {
  const name = DOMAINS.find((one) => one.domain === domain)?.cookie
  await post(port, domain, '/api/logout', {}, `${name}=${value}`)
}

async function isKnown(port: number, value: string): Promise<boolean> {
  const answer = await request(port, '/verify', {
    headers: {
      'X-Original-URL': 'https://app.example.com/',
      'X-Original-Method': 'GET',
      Cookie: `vestibule_session=${value}`,
    },
  })
  return answer.status === 200
}
