import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { METHODS, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { InjectOptions } from 'fastify'
import { type App, createApp, type Tools } from '../../src/app.ts'
import { loadConfig } from '../../src/config/index.ts'
import { createAudit } from '../../src/features/audit/index.ts'
import { createHub } from '../../src/features/hub/index.ts'
import { createPasswords } from '../../src/features/passwords/index.ts'
import {
  createSecondFactor,
  createWebauthn,
  forgetTrustOf,
  type SecondFactor,
  type SecurityKeys,
  type Webauthn,
  webauthnMethod,
} from '../../src/features/second-factor/index.ts'
import {
  createMemoryOnce,
  createMemoryStore,
  createSessions,
  createSqliteStore,
  type Sessions,
} from '../../src/features/sessions/index.ts'
import { createThrottle, type Throttle, throttleNotes } from '../../src/features/throttle/index.ts'
import { createUsers, hashParameters, type Users } from '../../src/features/users/index.ts'
import { features, migrations } from '../../src/features.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { bindOperations } from '../../src/kernel/operation.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { createLog } from '../../src/log/index.ts'
import { operations as allOperations } from '../../src/operations.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { Collector } from './cli.ts'
import { FakeClock } from './clock.ts'
import { until } from './pace.ts'
import {
  type Answer,
  configFor,
  PASSWORD,
  type RequestOptions,
  type RunningServer,
  signInWith,
} from './server.ts'
import { CHEAP } from './users.ts'

/** The application without a process and without a socket: requests go through Fastify's `inject`. */
export interface BuiltApp
  extends Pick<RunningServer, 'port' | 'request' | 'output' | 'until' | 'usersFile' | 'folder'> {
  readonly app: App
  readonly users: Users
  readonly throttle: Throttle
  readonly factors: SecondFactor
  readonly storage: Storage
  readonly sessions: Sessions
  /** Moves for answers that are held back, by the monotonic clock only, and when the test says so. */
  readonly clock: FakeClock
  /** One request from `remoteAddress`, by default 127.0.0.1. */
  request(
    path: string,
    options?: RequestOptions & { readonly remoteAddress?: string },
  ): Promise<Answer>
  /** @returns `name=value` of the session cookie */
  signIn(username: string, password?: string, portal?: string): Promise<string>
}

export interface AppOptions {
  /** Merged over the small configuration of `startServer`, with cheap password digests. */
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** The users file. */
  readonly users: string
  readonly sessions?: 'memory' | 'sqlite'
  /** Takes the place of the user backend: the seam at which others plug in theirs. */
  readonly wrapUsers?: (users: Users) => Users
  /** Second factors, where the test has some. */
  readonly factors?: (tools: Pick<Tools, 'sessions' | 'users' | 'clock'>) => {
    readonly factors?: SecondFactor
    readonly securityKeys?: SecurityKeys | undefined
  }
  /** What `/api/health/ready` asks besides the storage. */
  readonly checks?: Readonly<Record<string, () => Promise<void>>>
}

/** In addresses of the portal. Nothing listens on it. */
const PORT = 9091

/**
 * Builds the real application from a real configuration, for tests of what it answers.
 *
 * What this does not show: node's HTTP parser, the listener, the short entrance to verify (`App.handle`), addresses that a
 * URL parser would change, a client that goes away, the process. Those tests use `startServer`.
 */
export async function buildApp(
  t: Pick<TestContext, 'after'>,
  {
    config: given = {},
    users: usersFile,
    sessions: kind = 'memory',
    wrapUsers = (users) => users,
    factors: makeFactors,
    checks = {},
  }: AppOptions,
): Promise<BuiltApp> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-app-'))
  const opened: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  t.after(async () => {
    for (const close of opened.reverse()) await close()
  })
  const paths = { config: join(folder, 'config.yml'), users: join(folder, 'users.yml') }
  writeFileSync(paths.users, usersFile, { mode: 0o600 })
  writeFileSync(paths.config, JSON.stringify(configFor(PORT, folder, { ...CHEAP, ...given })), {
    mode: 0o600,
  })
  const loaded = await loadConfig({ files: [paths.config], env: {}, features, cwd: folder })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults))
  const { config } = loaded

  const clock = new FakeClock()
  const out = new Collector()
  const { level, format } = config['log']
  const logging = createLog(
    { level, format, filePath: undefined, keepStdout: false, pretty: false },
    out,
  )
  opened.push(() => logging.close())
  const { log } = logging
  const storage = await openStorage({ path: ':memory:', migrations, log })
  opened.push(() => storage.close())
  const audit = createAudit({ config: config['audit'], storage, trusted: undefined, clock, log })
  opened.push(() => audit.close())
  const backend = config['authentication_backend.file']
  const passwords = createPasswords({
    parameters: hashParameters(backend.password),
    queue: config['authentication_backend.hashing'].queue,
    // It measures real work.
    clock: systemClock,
  })
  opened.push(() => passwords.close())
  const users = wrapUsers(
    await createUsers({
      config: {
        ...config,
        'authentication_backend.file': { ...backend, path: paths.users, watch: false },
      },
      place: { resolve: (path) => path, inDataDirectory: (name) => join(folder, name) },
      separator: config['identity_headers'].separator,
      passwords,
      rehash: false,
      log,
    }),
  )
  opened.push(() => users.close())
  const secrets = [new Secret('a secret of the tests, long enough')]
  const sessions = createSessions({
    config: config['session'],
    store: kind === 'memory' ? createMemoryStore() : createSqliteStore(storage),
    secrets,
    users,
    clock,
    log,
  })
  opened.push(() => sessions.close())
  const once = createMemoryOnce()
  const hub = createHub({
    config: config['session.hub'],
    sessions,
    once,
    secrets,
    clock,
  })
  const throttle = withoutWaiting(
    await createThrottle({
      redis: undefined,
      ...throttleNotes(audit),
      afterLift: forgetTrustOf(storage),
      limits: config['failed_login_rate_limit'],
      regulation: config['regulation'],
      storage,
      users,
      passwords,
      clock,
      log,
    }),
    clock,
  )
  opened.push(() => throttle.close())
  const kept = { storage, once, sealer: createSealer(secrets, 'storage'), clock }
  const webauthn = createWebauthn({ ...kept, config: config['webauthn'], secrets })
  const factors = createSecondFactor({
    ...{ ...kept, config, sessions, audit, users, throttle, log },
    methods: webauthn.isOn ? [webauthnMethod({ webauthn, audit, log })] : [],
    stored: [webauthn],
  })
  opened.push(() => factors.close())
  const { bans, devices } = throttle
  const operations = bindOperations(allOperations, {
    ...{ bans, devices, sessions, audit, factors: factors.registry },
  })
  const made = makeFactors?.({ sessions, users, clock })
  const app = await createApp(config, {
    ...{ log, clock, users, sessions, throttle, audit, hub, operations },
    factors: made?.factors ?? factors,
    // As: the settings read no more of a key than SecurityKeys has.
    webauthn: {
      ...webauthn,
      ...(made?.securityKeys !== undefined && {
        ...(made.securityKeys as Partial<Webauthn>),
        isOn: true,
      }),
    },
    checks: { storage: () => storage.check(), ...checks },
  })
  opened.push(() => app.fastify.close())

  const request: BuiltApp['request'] = (path, options) => inject(app, path, options)
  return {
    ...{ app, users, throttle, factors, storage, sessions, clock, request, folder },
    port: PORT,
    usersFile: paths.users,
    output: () => out.text,
    async until(pattern, after = 0) {
      await until(String(pattern), () => pattern.test(out.text.slice(after)))
      const found = pattern.exec(out.text.slice(after))
      if (found === null) throw new Error(`${pattern} is not there any more`)
      return found
    },
    signIn: (username, password = PASSWORD, portal = 'auth.vestibule.localhost') =>
      signInWith(request, { username, password, host: `${portal}:${PORT}` }),
  }
}

/** Answers that would be held back leave at once, and the clock says that they waited. */
function withoutWaiting(throttle: Throttle, clock: FakeClock): Throttle {
  const { delay } = throttle
  return {
    ...throttle,
    delay: {
      ...delay,
      async hold(began) {
        clock.pass(Math.max(0, began + (await delay.span()) - clock.monotonic()))
      },
    },
  }
}

/** Methods without a body, unless one is given. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])

async function inject(
  { fastify }: App,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
    remoteAddress = '127.0.0.1',
  }: RequestOptions & { readonly remoteAddress?: string } = {},
): Promise<Answer> {
  const { pathname, search } = new URL(path, 'http://v')
  if (pathname + search !== path)
    throw new TypeError(`${path} would be asked as ${pathname}${search}: use startServer`)
  if (!METHODS.includes(method)) throw new TypeError(`node's parser refuses ${method}`)
  const answer = await fastify.inject({
    // The type lists the common methods only; every other one of node's is passed on too.
    method: method as NonNullable<InjectOptions['method']>,
    url: path,
    remoteAddress,
    headers: {
      ...(body === undefined && !BODILESS.has(method) && { 'content-length': '0' }),
      ...fields(headers),
    },
    ...(body !== undefined && { payload: body }),
  })
  const found = Object.entries(answer.headers).flatMap(
    ([name, value]): [string, string | string[]][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)]],
  )
  const cookies = answer.headers['set-cookie']
  return {
    status: answer.statusCode,
    headers: {
      ...Object.fromEntries(found),
      ...(cookies !== undefined && { 'set-cookie': [cookies].flat() }),
    },
    rawHeaders: found.flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one])),
    body: answer.body,
  }
}

/** By name, all values of one that is sent more than once. */
function fields(
  headers: NonNullable<RequestOptions['headers']>,
): Readonly<Record<string, string | string[]>> {
  if (!isFlat(headers))
    return Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value : String(value)]],
      ),
    )
  const found = new Map<string, string[]>()
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i]?.toLowerCase() ?? ''
    found.set(name, [...(found.get(name) ?? []), headers[i + 1] ?? ''])
  }
  return Object.fromEntries(found)
}

const isFlat = (headers: OutgoingHttpHeaders | readonly string[]): headers is readonly string[] =>
  Array.isArray(headers)
