/**
 * The enumeration drill: whether an answer tells which names exist. Wrong passwords for a known user, an unknown, a
 * disabled, a banned one and one whose digest is of another scheme, mixed, eight at a time, after twenty sign-ins; then
 * simple classifiers try to tell any two of them apart by the time of the answer. Bodies, headers, their order and what
 * becomes of the connection must be the same to the byte.
 *
 *     npm run drill:enumeration -- [--seed N] [--size N]
 *
 * Size is the number of failures of each kind. Ends with status 1 when bytes differ, or when a classifier does better than
 * 0.55 (area under the curve); with fewer than a thousand of each, where chance alone reaches that, better than 0.62.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import argon2 from 'argon2'
import { makeDigest } from '../../src/features/passwords/index.ts'
import { freePort } from '../support/nginx.ts'
import { configFor, PASSWORD, run } from '../support/server.ts'
import { judge } from './classify.ts'
import { createCleanup, readOptions } from './options.ts'
import { createRandom } from './random.ts'
import { spawnServer } from './server.ts'

const AT_ONCE = 8
const KINDS = ['known', 'unknown', 'disabled', 'banned', 'other-scheme'] as const
type Kind = (typeof KINDS)[number]

/** What is configured, and what the digests are made with. */
const ARGON2 = { variant: 'argon2id', memory: 19_456, iterations: 2, parallelism: 1 } as const

const { seed, size } = readOptions(2000)
const most = size < 1000 ? 0.62 : 0.55
const random = createRandom(seed)
const cleanup = createCleanup()
console.log(`enumeration: seed ${seed}, ${size} failures of each kind, ${AT_ONCE} at a time`)
try {
  process.exitCode = (await drill()) ? 0 : 1
} finally {
  await cleanup.run()
}

async function drill(): Promise<boolean> {
  const port = await openServer()
  const lines = await Promise.all(Array.from({ length: AT_ONCE }, () => openLine(port)))
  cleanup.after(() => {
    for (const line of lines) line.close()
  })
  const each = async <T>(work: readonly T[], act: (line: Line, one: T) => Promise<void>) => {
    const left = [...work]
    const worker = async (line: Line) => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await act(line, one)
    }
    await Promise.all(lines.map(worker))
  }

  await each(new Array<string>(20).fill(PASSWORD), async (line, password) => {
    const { bytes } = await line.ask(signIn(port, 'known', password))
    if (!bytes.startsWith('HTTP/1.1 200')) throw new Error(`no sign-in:\n${bytes}`)
  })

  const times: Record<Kind, number[]> = {
    known: [],
    unknown: [],
    disabled: [],
    banned: [],
    'other-scheme': [],
  }
  const faces = new Map<string, Kind>()
  const attempts = random.shuffle(KINDS.flatMap((kind) => new Array<Kind>(size).fill(kind)))
  const began = performance.now()
  await each(attempts, async (line, kind) => {
    // Of the banned user the password is right: the answer must not say so.
    const password = kind === 'banned' ? PASSWORD : `wrong ${random.below(1e9)}`
    const answer = await line.ask(signIn(port, kind, password))
    times[kind].push(answer.took)
    faces.set(
      `${answer.stays ? 'stays' : 'closes'}\n${answer.bytes.replace(/^Date: .*$/m, 'Date')}`,
      kind,
    )
  })
  console.log(`${attempts.length} failures in ${Math.round((performance.now() - began) / 1000)} s`)

  let ok = true
  if (faces.size !== 1) {
    ok = false
    console.error(
      `answers differ:\n${[...faces].map(([face, kind]) => `${kind}: ${face}`).join('\n\n')}`,
    )
  }
  for (const kind of KINDS) console.log(describe(kind, times[kind]))
  for (const [i, first] of KINDS.entries())
    for (const second of KINDS.slice(i + 1))
      for (const { classifier, auc } of judge(times[first], times[second])) {
        const tells = auc > most
        if (tells) ok = false
        const verdict = tells ? ' TOLD APART' : ''
        console.log(`${first} / ${second}: ${classifier} ${auc.toFixed(3)}${verdict}`)
      }
  return ok
}

function describe(kind: Kind, list: readonly number[]): string {
  const sorted = [...list].sort((a, b) => a - b)
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1)
  return `${kind}: p5 ${at(0.05)} p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms`
}

async function openServer(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-enumeration-'))
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const configFile = join(folder, 'config.yml')
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  const digest = await argon2.hash(PASSWORD, {
    type: argon2.argon2id,
    memoryCost: ARGON2.memory,
    timeCost: ARGON2.iterations,
    parallelism: ARGON2.parallelism,
  })
  const other = await makeDigest(
    { algorithm: 'sha2crypt', variant: 'sha512', iterations: 50_000, saltLength: 16 },
    PASSWORD,
  )
  const user = (password: string, more = {}) => ({ displayname: 'Somebody', password, ...more })
  const users = {
    known: user(digest),
    disabled: user(digest, { disabled: true }),
    banned: user(digest),
    'other-scheme': user(other),
  }
  // JSON is YAML.
  writeFileSync(join(folder, 'data', 'users.yml'), JSON.stringify({ users }))
  const config = {
    authentication_backend: { file: { password: { argon2: ARGON2 } } },
    failed_login_rate_limit: 'disable',
    // Attempts are counted as always, and nobody is banned by them.
    regulation: { max_retries: 1_000_000, find_time: '1s' },
  }
  writeFileSync(configFile, JSON.stringify(configFor(port, folder, config)))
  const server = spawnServer(folder, configFile)
  cleanup.after(async () => {
    server.child.kill('SIGTERM')
    await server.ended
  })
  await server.ready
  const args = ['bans', 'add', '--user', 'banned', '--permanent', '-c', configFile]
  const ban = run(args, { folder })
  if ((await ban.ended) !== 0) throw new Error(ban.output())
  return port
}

function signIn(port: number, username: string, password: string): string {
  const body = JSON.stringify({ username, password })
  return (
    `POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost:${port}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

interface Line {
  /** One request, and its whole answer. `stays`: the connection is kept for another. */
  ask(request: string): Promise<{ bytes: string; took: number; stays: boolean }>
  close(): void
}

/** One connection, kept for as long as the server keeps it. */
async function openLine(port: number): Promise<Line> {
  let socket: Socket | undefined
  const reach = (): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const made = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(made))
      made.setEncoding('latin1')
      made.once('error', reject)
    })
  return {
    async ask(request) {
      const own = socket ?? (await reach())
      socket = own
      const began = performance.now()
      own.write(request)
      const bytes = await answerOn(own)
      const took = performance.now() - began
      const stays = !/^connection: close/im.test(bytes) && !own.destroyed
      if (!stays) socket = undefined
      return { bytes, took, stays }
    },
    close: () => socket?.destroy(),
  }
}

function answerOn(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const settle = () => {
      socket.off('data', read)
      socket.off('close', lost)
    }
    const lost = () => {
      settle()
      reject(new Error('the connection was closed without an answer'))
    }
    const read = (chunk: string) => {
      text += chunk
      const head = text.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0)
      if (text.length < head + 4 + length) return
      settle()
      resolve(text)
    }
    socket.on('data', read)
    socket.once('close', lost)
  })
}
