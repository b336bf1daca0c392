import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { explained, watchEnding } from './endings.ts'
import { mainFile } from './main-file.ts'
import { freePort } from './nginx.ts'

/** A running server, started as a user starts it. */
export interface RunningServer {
  readonly port: number
  readonly pid: number
  readonly folder: string
  readonly configFile: string
  readonly usersFile: string
  /** Everything it has printed so far. */
  output(): string
  /** Waits until the output matches, at most half a minute. */
  until(pattern: RegExp, after?: number): Promise<RegExpExecArray>
  signal(name: NodeJS.Signals): void
  /** Why it ended although no test asked it to. */
  unasked(): string | undefined
  /** Resolves with the exit status; null after a kill. */
  readonly ended: Promise<number | null>
  stop(): Promise<void>
  request(path: string, options?: RequestOptions): Promise<Answer>
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: http.OutgoingHttpHeaders | readonly string[]
  readonly body?: string
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** Digests of `john` with argon2id at its cheapest: tests sign in often. */
export const PASSWORD = 'correct horse'

/**
 * @param config merged over a small configuration for *.vestibule.localhost; undefined: no configuration file at all
 * @param users the users file; undefined: none, so that the first start makes one
 */
export async function startServer(
  t: Pick<TestContext, 'after'>,
  {
    config = {},
    users,
    env = {},
    folder = mkdtempSync(join(tmpdir(), 'vestibule-test-')),
    port,
    keep = false,
  }: {
    readonly config?: Readonly<Record<string, unknown>> | undefined
    readonly users?: string | undefined
    readonly env?: Readonly<Record<string, string>>
    readonly folder?: string
    readonly port?: number
    /** Leaves the folder for a later start. */
    readonly keep?: boolean
  } = {},
): Promise<RunningServer> {
  const chosen = port ?? (await freePort())
  const configFile = join(folder, 'config.yml')
  const usersFile = join(folder, 'data', 'users.yml')
  mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o700 })
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify(configFor(chosen, folder, config), null, 2), {
    mode: 0o600,
  })
  if (users !== undefined) writeFileSync(usersFile, users, { mode: 0o600 })
  const server = run(['serve', '--config', configFile], { folder, env, port: chosen })
  let isReady = false
  t.after(async () => {
    await server.stop()
    if (!keep) rmSync(folder, { recursive: true, force: true })
    // A test that has not noticed fails all the same. One that did not even start has said so.
    const why = server.unasked()
    if (isReady && why !== undefined) throw new Error(why)
  })
  await ready(server)
  isReady = true
  return { ...server, configFile, usersFile, folder }
}

export function configFor(
  port: number,
  folder: string,
  config: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    server: { address: `tcp://127.0.0.1:${port}/` },
    data_directory: join(folder, 'data'),
    session: {
      cookies: [
        {
          domain: 'vestibule.localhost',
          portal_url: `http://auth.vestibule.localhost:${port}`,
        },
      ],
    },
    access_control: {
      default_policy: 'deny',
      rules: [
        { domain: 'public.vestibule.localhost', policy: 'bypass' },
        { domain: 'app.vestibule.localhost', policy: 'one_factor' },
        { domain: 'admin.vestibule.localhost', policy: 'one_factor', subject: 'group:admins' },
        { domain: 'bank.vestibule.localhost', policy: 'two_factor' },
      ],
    },
    // Tests sign in often and wrongly, all from one address; those about limits say so.
    failed_login_rate_limit: 'disable',
    regulation: { max_retries: 0 },
    ...config,
  }
}

/** Runs `node src/main.ts …` in a folder of its own. */
export function run(
  args: readonly string[],
  {
    folder,
    env = {},
    port = 9091,
  }: {
    readonly folder: string
    readonly env?: Readonly<Record<string, string>>
    readonly port?: number
  },
): Omit<RunningServer, 'configFile' | 'usersFile' | 'folder'> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VESTIBULE'))
  const child = spawn(process.execPath, [mainFile(), ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const watched = watchEnding(child, { port, output: () => output })
  let over = false
  // Not `exit`: what it printed last may still be on its way then.
  const ended = new Promise<number | null>((resolve) =>
    child.once('close', (status) => {
      over = true
      resolve(status)
    }),
  )
  const until = async (pattern: RegExp, after = 0): Promise<RegExpExecArray> => {
    for (let tries = 0; tries < 1200; tries++) {
      const found = pattern.exec(output.slice(after))
      if (found !== null) return found
      if (over) break
      await sleep(25)
    }
    throw new Error(`${pattern} was not printed:\n${output}`)
  }
  return {
    port,
    pid: child.pid ?? 0,
    output: () => output,
    until,
    signal(name) {
      if (name !== 'SIGHUP') watched.asked()
      child.kill(name)
    },
    unasked: watched.unasked,
    ended,
    async stop() {
      watched.asked()
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(late)
    },
    request: (path, options) => request(port, path, options),
  }
}

async function ready(server: Pick<RunningServer, 'until'>): Promise<void> {
  await server.until(/listening on/)
}

/** One request over a connection of its own, headers exactly as given. */
export function request(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        // Node takes a flat list too, to send a header twice.
        headers: headers as http.OutgoingHttpHeaders,
        setHost: !hasHost(headers),
        // As much as a browser takes: the way to the portal repeats a long address, encoded.
        maxHeaderSize: 256 * 1024,
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => {
          text += chunk
        })
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            rawHeaders: answer.rawHeaders,
            body: text,
          }),
        )
      },
    )
    sent.on('error', (error) => void explained(error, port).then(reject))
    sent.end(body)
  })
}

const hasHost = (headers: http.OutgoingHttpHeaders | readonly string[]): boolean =>
  (Array.isArray(headers) ? headers : Object.keys(headers)).some(
    (name) => String(name).toLowerCase() === 'host',
  )

/** Signs in at the portal and returns `name=value` of the session cookie. */
export function signIn(
  port: number,
  username: string,
  password: string = PASSWORD,
  portal = 'auth.vestibule.localhost',
): Promise<string> {
  return signInWith((path, options) => request(port, path, options), {
    username,
    password,
    host: `${portal}:${port}`,
  })
}

/** @throws Error when the answer is no 200 with a cookie */
export async function signInWith(
  ask: (path: string, options: RequestOptions) => Promise<Answer>,
  {
    host,
    ...credentials
  }: { readonly username: string; readonly password: string; readonly host: string },
): Promise<string> {
  const answer = await ask('/api/firstfactor', {
    method: 'POST',
    headers: { Host: host, 'Content-Type': 'application/json' },
    body: JSON.stringify(credentials),
  })
  const cookie = answer.headers['set-cookie']?.[0]?.split(';', 1)[0]
  if (answer.status !== 200 || cookie === undefined)
    throw new Error(`${credentials.username} was not signed in: ${answer.status} ${answer.body}`)
  return cookie
}
