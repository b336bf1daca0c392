/**
 * A large users file: how long the start takes, how long a change by hand and a digest that is made anew, and what verify
 * takes meanwhile, beside what it takes when nothing changes. Rounds are interleaved; other programs slow all of them.
 *
 *     node bench/users.ts [users] [rounds]
 */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './processes.ts'

const [users = '100000', rounds = '3'] = process.argv.slice(2)
const MAIN = new URL('../src/main.ts', import.meta.url).pathname
/** Both of `password`: the first is weaker than what the server makes. */
const WEAK = '$argon2id$v=19$m=8,t=1,p=1$dyjVezUHbeU$0wp7rMfXbcN99OPeEW3Htw'
const PORTAL = 'auth.vestibule.localhost'
/** Sign-ins of a round, one after another. */
const SIGN_INS = 5
/** Requests a second, evenly: a browser's page or two. */
const RATE = 200

const folder = mkdtempSync(join(tmpdir(), 'vestibule-bench-'))
const port = await freePort()
const usersFile = join(folder, 'data', 'users.yml')
mkdirSync(join(folder, 'data'), { mode: 0o700 })
const entries = Array.from(
  { length: Number(users) },
  (_, i) =>
    `  user${i}:\n    displayname: "User ${i}"\n    password: "${WEAK}"\n    email: user${i}@example.com\n    groups: [people, "g${i % 50}"]\n`,
)
writeFileSync(usersFile, `# people\nusers:\n${entries.join('')}`, { mode: 0o600 })
// JSON is YAML.
writeFileSync(
  join(folder, 'config.yml'),
  JSON.stringify({
    server: { address: `tcp://127.0.0.1:${port}/` },
    data_directory: join(folder, 'data'),
    session: {
      cookies: [{ domain: 'vestibule.localhost', portal_url: `http://${PORTAL}:${port}` }],
    },
    access_control: { default_policy: 'one_factor' },
    authentication_backend: {
      file: { password: { argon2: { memory: 64, iterations: 2, parallelism: 1 } } },
    },
    failed_login_rate_limit: 'disable',
    regulation: { max_retries: 0 },
  }),
  { mode: 0o600 },
)

const begun = performance.now()
const child = spawn(process.execPath, [MAIN, 'serve', '--config', join(folder, 'config.yml')], {
  cwd: folder,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
let said = ''
child.stdout.on('data', (chunk: Buffer) => {
  said += chunk.toString()
})
const count = (text: string): number => said.split(text).length - 1
async function until(text: string, wanted: number): Promise<void> {
  for (let tries = 0; tries < 60_000 && child.exitCode === null; tries++) {
    if (count(text) >= wanted) return
    await sleep(2)
  }
  throw new Error(`the server did not say "${text}":\n${said.slice(-2000)}`)
}

const agent = new http.Agent({ keepAlive: true })
function ask(path: string, headers: Record<string, string>, body?: string) {
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST'
    const request = http.request({ port, host: '127.0.0.1', path, method, headers, agent })
    request.once('response', (response) => {
      response.resume().once('end', () => resolve(response))
    })
    request.once('error', reject)
    request.end(body)
  })
}
async function signIn(name: string): Promise<string> {
  const headers = { Host: PORTAL, 'Content-Type': 'application/json' }
  const body = JSON.stringify({ username: name, password: 'password' })
  const { statusCode, headers: answer } = await ask('/api/firstfactor', headers, body)
  if (statusCode !== 200) throw new Error(`${name} was answered ${statusCode}`)
  return answer['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
}

/** What verify takes, in ms, while the work runs. */
async function during(cookie: string, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const answers: Promise<void>[] = []
  let over = false
  const working = work().finally(() => {
    over = true
  })
  const headers = {
    Host: 'v',
    'X-Original-Method': 'GET',
    'X-Original-URL': 'http://app.vestibule.localhost/',
    Cookie: cookie,
  }
  const start = performance.now()
  for (let n = 0; !over || n < RATE / 4; n++) {
    const due = start + (n * 1000) / RATE
    await sleep(Math.max(0, due - performance.now()))
    const answer = async () => {
      const { statusCode } = await ask('/verify', headers)
      if (statusCode !== 200) throw new Error(`verify said ${statusCode}`)
      // From when it was due: a server that stands still must not slow its clock.
      times.push(performance.now() - due)
    }
    answers.push(answer())
  }
  await Promise.all([working, ...answers])
  return times
}

const quantile = (times: readonly number[], share: number): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0
const show = (name: string, times: readonly number[]): void =>
  console.log(
    `${name.padEnd(24)} verify p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms (${times.length})`,
  )
const memory = (): string => {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return `${Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024)} MB`
}

try {
  await until('listening on', 1)
  const size = (readFileSync(usersFile).length / 1024 / 1024).toFixed(1)
  console.log(
    `${users} users, ${size} MiB: start ${((performance.now() - begun) / 1000).toFixed(1)} s, ${memory()}`,
  )
  const cookie = await signIn('user0')
  await until('was made anew', 1)
  const idle: number[] = []
  const reloading: number[] = []
  const changing: number[] = []
  const reloads: number[] = []
  const changes: number[] = []
  for (let round = 0; round < Number(rounds); round++) {
    idle.push(...(await during(cookie, () => sleep(5000))))
    const reload = async () => {
      const before = performance.now()
      appendFileSync(usersFile, `# round ${round}\n`)
      await until('changed and is taken up', round + 1)
      reloads.push(performance.now() - before)
    }
    reloading.push(...(await during(cookie, reload)))
    const change = async () => {
      for (let i = 1; i <= SIGN_INS; i++) {
        const done = count('was made anew')
        await signIn(`user${round * SIGN_INS + i}`)
        const before = performance.now()
        await until('was made anew', done + 1)
        changes.push(performance.now() - before)
      }
    }
    changing.push(...(await during(cookie, change)))
  }
  const seconds = (times: readonly number[]) =>
    `${(quantile(times, 0.5) / 1000).toFixed(2)} s (longest ${(Math.max(...times) / 1000).toFixed(2)} s)`
  show('nothing changes', idle)
  show('a change by hand', reloading)
  show('digests made anew', changing)
  const ratio = (times: readonly number[]) =>
    (quantile(times, 0.99) / quantile(idle, 0.99)).toFixed(2)
  console.log(`p99 beside idle: by hand ${ratio(reloading)}, made anew ${ratio(changing)}`)
  console.log(`a change by hand is taken up in ${seconds(reloads)}`)
  console.log(`after a sign-in, its digest is made anew and written in ${seconds(changes)}`)
  console.log(`in the end ${memory()}`)
} finally {
  agent.destroy()
  child.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true, force: true })
}
