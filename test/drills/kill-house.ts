/** The data directory that survives the kills, and what must be true of it after each. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parse } from 'yaml'
import { freePort } from '../support/nginx.ts'
import { configFor, request } from '../support/server.ts'
import { CHEAP } from '../support/users.ts'
import { cheapPasswords } from '../users/store.ts'
import { openLane } from './connections.ts'
import type { Answer } from './http.ts'
import type { Ledger } from './kill-ledger.ts'
import type { Cleanup } from './options.ts'
import { type DrilledServer, spawnServer } from './server.ts'

const HOST = 'auth.vestibule.localhost'
const COOKIE = 'vestibule_session'
/** What every digest is of that nothing acknowledged has changed. */
export const FIRST_PASSWORD = 'password'
const STRONG_DIGEST =
  '$argon2id$v=19$m=64,t=2,p=1$hA8uqcUcDUEbNYriGmTjfw$vBlJLydDg3l0z0WapsekmJGQfvwPASytwEN5kJdil/0'

export interface House {
  readonly folder: string
  readonly port: number
  readonly usersFile: string
  start(): DrilledServer
}

/** @param users undefined: none, so that the first start makes one */
export async function openHouse(cleanup: Cleanup, users: string | undefined): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-drill-'))
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const configFile = join(folder, 'config.yml')
  const usersFile = join(folder, 'data', 'users.yml')
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  if (users !== undefined) writeFileSync(usersFile, users, { mode: 0o600 })
  const { session, ...config } = configFor(port, folder, CHEAP)
  const lasting = { ...Object(session), expiration: '1d', inactivity: 0 }
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify({ ...config, session: lasting }))
  return { folder, port, usersFile, start: () => spawnServer(folder, configFile) }
}

/** A users file as people write it: comments, odd spacing, keys in any order. */
export function usersText(names: readonly string[]): string {
  const entries = names.map(
    (name, i) => `  ${name}:   # number ${i}
    groups: [everybody, "g${i}"]
    password: '${STRONG_DIGEST}'
    displayname: "${name.toUpperCase()}"
`,
  )
  return `# The people of the drill\n# edited: never\nusers:\n${entries.join('\n')}`
}

/** What weak digests begin with: weaker than the server's own, so that a sign-in makes them anew. */
const WEAK = '$argon2id$v=19$m=8,t=1,p=1$'

/**
 * Gives people a weak digest of the same password, so that the server has to change the file. It is a new one each time: to
 * put back one that the server is replacing is no change of the password, and sessions rightly live through it.
 */
export async function weaken(file: string, names: readonly string[]): Promise<void> {
  const passwords = cheapPasswords()
  let text = readFileSync(file, 'utf8')
  for (const name of names) {
    const digest = await passwords.hash(FIRST_PASSWORD, '')
    text = text.replace(
      new RegExp(`^( {2}${name}:.*\\n.*\\n {4}password: ).*$`, 'm'),
      (_, head) => `${head}'${digest}'`,
    )
  }
  writeFileSync(file, text)
  await passwords.close()
}

/** How many entries have it still. */
export const countWeak = (file: string): number => readFileSync(file, 'utf8').split(WEAK).length - 1

/** Everything that must not have changed: all but digests, the edited line and users who came later. */
export const unchanging = (text: string): string =>
  text
    .replace(/^# edited: .*$/m, '')
    .replace(/^ {4}password: .*$/gm, '')
    .replace(/^ {2}u\d+-\d+:.*$/ms, '')
    .trimEnd()

const KNOWN_FILES =
  /^(?:users\.yml|\.users\.yml\.lock|vestibule\.sqlite3(?:-wal|-shm)?|lock|secrets|secrets\/(?:session|encryption)|control\.sock)$/

/**
 * @param unasked who is not to sign in now
 * @returns what is wrong with a server that has just started, as sentences
 */
export async function faultsOf(
  house: House,
  server: DrilledServer,
  ledger: Ledger,
  original: string,
  unasked: readonly string[],
): Promise<readonly string[]> {
  const faults: string[] = server.complaints.map((line) => `it complains: ${line}`)
  const data = join(house.folder, 'data')
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' }))
    if (!KNOWN_FILES.test(name)) faults.push(`${name} was left over`)
  const text = readFileSync(house.usersFile, 'utf8')
  if (unchanging(text) !== unchanging(original))
    faults.push(`something else in the users file changed:\n${unchanging(text)}`)
  const [, edit = ''] = /^# edited: (.*)$/m.exec(text) ?? []
  if (!ledger.edits.includes(edit)) faults.push(`the edit is ${edit}, not ${ledger.edits}`)
  const { users }: { users: Record<string, unknown> } = parse(text)
  for (const name of [...ledger.passwords.keys(), ...ledger.added])
    if (!(name in users)) faults.push(`the user ${name} is gone`)
  const database = new DatabaseSync(join(data, 'vestibule.sqlite3'), { readOnly: true })
  const integrity = JSON.stringify(database.prepare('pragma integrity_check').all())
  database.close()
  if (integrity !== '[{"integrity_check":"ok"}]') faults.push(`the database: ${integrity}`)
  return [
    ...faults,
    ...(await sessionFaults(house, ledger)),
    ...(await loginFaults(house, ledger, unasked)),
  ]
}

async function sessionFaults({ port }: House, { sessions }: Ledger): Promise<readonly string[]> {
  const known = [...sessions].filter(([, { state }]) => state !== 'unknown')
  const answers = await verifyAll(
    port,
    known.map(([value]) => value),
  )
  return known.flatMap(([value, { user, state }]) => {
    const { status = 0, headers = [] } = answers.get(value) ?? {}
    const [, name = ''] = headers.find(([one]) => one === 'Remote-User') ?? []
    if (state === 'over')
      return status === 401 ? [] : [`a session of ${user} that was ended is answered ${status}`]
    return status === 200 && name === user
      ? []
      : [`an acknowledged session of ${user} is answered ${status} ${name}`]
  })
}

/** One of the passwords is right; from then on it is the one that counts. */
async function loginFaults(
  { port }: House,
  ledger: Ledger,
  unasked: readonly string[],
): Promise<readonly string[]> {
  const faults: string[] = []
  const asked = [...ledger.passwords].filter(([user]) => !unasked.includes(user))
  // All at once: each sign-in is held back for a second after a start (requirement 3).
  await Promise.all(
    asked.map(async ([user, candidates]) => {
      let right: string | undefined
      // The first is the acknowledged one.
      for (const password of candidates) {
        if (right === undefined && (await signIn(port, user, password)) !== undefined)
          right = password
      }
      if (right === undefined) faults.push(`${user} has none of the passwords ${candidates}`)
      else ledger.passwords.set(user, [right])
    }),
  )
  // Who was added and has signed in once is only looked for from then on.
  for (const name of ledger.added) ledger.passwords.delete(name)
  return faults
}

/** @returns the value of the cookie; undefined when it was refused */
export async function signIn(
  port: number,
  username: string,
  password: string,
  replaces = '',
): Promise<string | undefined> {
  const answer = await request(port, '/api/firstfactor', {
    method: 'POST',
    headers: {
      Host: HOST,
      'Content-Type': 'application/json',
      ...(replaces !== '' && { Cookie: `${COOKIE}=${replaces}` }),
    },
    body: JSON.stringify({ username, password }),
  })
  const [, value] = /^[^=]+=([^;]+)/.exec(answer.headers['set-cookie']?.[0] ?? '') ?? []
  return answer.status === 200 ? value : undefined
}

/** @returns whether it was acknowledged */
export async function signOut(port: number, value: string): Promise<boolean> {
  const answer = await request(port, '/api/logout', {
    method: 'POST',
    headers: { Host: HOST, 'Content-Type': 'application/json', Cookie: `${COOKIE}=${value}` },
    body: '{}',
  })
  return answer.status === 200
}

/** Asks about every session over one connection. */
export async function verifyAll(
  port: number,
  values: readonly string[],
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>()
  let next = 0
  const lane = openLane({
    port,
    depth: 32,
    isOver: () => next >= values.length,
    next() {
      const value = values[next++]
      if (value === undefined) return undefined
      return {
        bytes:
          'GET /verify HTTP/1.1\r\nHost: v\r\nX-Original-Method: GET\r\n' +
          `X-Original-URL: http://app.vestibule.localhost/\r\nCookie: ${COOKIE}=${value}\r\n\r\n`,
        isHead: false,
        answered: (answer) => void answers.set(value, answer),
        unanswered() {},
      }
    },
  })
  lane.fill()
  await lane.ended
  return answers
}
