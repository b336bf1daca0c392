import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { METHODS, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { InjectOptions } from 'fastify'
import { type App, createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/index.ts'
import type {
  SecondFactor,
  SecurityKeys,
  Webauthn,
} from '../../src/features/second-factor/index.ts'
import { createMemoryOnce, createMemoryStore } from '../../src/features/sessions/index.ts'
import type { Throttle } from '../../src/features/throttle/index.ts'
import type { Users } from '../../src/features/users/index.ts'
import { features, migrations } from '../../src/features.ts'
import {
  type AnyOperation,
  type BoundOperation,
  bindOperations,
} from '../../src/kernel/operation.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { createLog } from '../../src/log/index.ts'
import {
  operations as allOperations,
  type Services as OperationServices,
} from '../../src/operations.ts'
import { forOperations, type Services, services } from '../../src/services/index.ts'
import { openStorage } from '../../src/storage/index.ts'
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
  readonly services: Services
  readonly operations: readonly BoundOperation[]
  readonly configFile: string
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
  readonly factors?: (services: Pick<Services, 'sessions' | 'users' | 'clock'>) => {
    readonly factors?: SecondFactor
    readonly securityKeys?: SecurityKeys | undefined
  }
  /** What `/api/health/ready` asks besides the storage. */
  readonly checks?: Readonly<Record<string, () => Promise<void>>>
  /** By default those of the server. */
  readonly operations?: readonly AnyOperation<OperationServices>[]
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
    operations = allOperations,
  }: AppOptions,
): Promise<BuiltApp> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-app-'))
  const opened = new AsyncDisposableStack()
  t.after(() => opened.disposeAsync())
  opened.defer(() => rmSync(folder, { recursive: true, force: true }))
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
  opened.defer(() => logging.close())
  const { log } = logging
  const storage = await openStorage({ path: ':memory:', migrations, log })
  opened.defer(() => storage.close())
  const secret = new Secret('a secret of the tests, long enough')
  let made: ReturnType<NonNullable<typeof makeFactors>> | undefined
  const open = await services.open(
    {
      config: {
        ...config,
        'authentication_backend.file': {
          ...config['authentication_backend.file'],
          path: paths.users,
          watch: false,
        },
        'authentication_backend.rehash_on_login': false,
      },
      ...{ cwd: folder, clock, log, storage, redis: undefined, trusted: undefined },
      data: { path: folder, file: (name) => join(folder, name), secret: () => secret },
      sealer: createSealer([secret], 'storage'),
      checks: { storage: () => storage.check(), ...checks },
    },
    opened,
    {
      users: wrapUsers,
      ...(kind === 'memory' && { sessionStore: () => createMemoryStore() }),
      once: () => createMemoryOnce(),
      throttle: (throttle) => withoutWaiting(throttle, clock),
      webauthn(webauthn, all) {
        made = makeFactors?.(all)
        const keys = made?.securityKeys
        // As: the settings read no more of a key than SecurityKeys has.
        return keys === undefined
          ? webauthn
          : { ...webauthn, ...(keys as Partial<Webauthn>), isOn: true }
      },
      secondFactor: (factors) => ({ ...factors, ...made?.factors }),
    },
  )
  const bound = bindOperations(operations, forOperations(open))
  const app = await createApp(open, bound)
  opened.defer(() => app.fastify.close())
  const { users, throttle, secondFactor: factors } = open

  const request: BuiltApp['request'] = (path, options) => inject(app, path, options)
  return {
    ...{ app, users, throttle, factors, operations: bound, clock, request, folder },
    services: open,
    configFile: paths.config,
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
