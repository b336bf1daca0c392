/** The processes that benches measure: ours as a user starts it, and a bare Fastify to compare with. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

export interface Measured {
  readonly pid: number
  readonly port: number
  /** Milliseconds from spawn to the first answer. */
  readonly started: number
  /** Makes major garbage collections: a server that had one is compared only with a server that had one, too. */
  collect(): Promise<void>
  stop(): Promise<void>
}

export interface Vestibule extends Measured {
  /** `name=value` of a live session of `admin`. */
  readonly cookie: string
  readonly folder: string
}

const MAIN = new URL('../src/main.ts', import.meta.url).pathname
/** What the image and the npm package run; `npm run build` makes it. */
export const DIST = new URL('../dist/main.js', import.meta.url).pathname
const TRIVIAL = new URL('trivial.js', import.meta.url).pathname
const BASELINE = new URL('baseline.ts', import.meta.url).pathname
const COLLECT = ['--expose-gc', '--import', new URL('collect.ts', import.meta.url).pathname]
const KEEP_TICK = ['--import', new URL('keep-tick.ts', import.meta.url).pathname]

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  return address.port
}

async function launch(
  args: readonly string[],
  port: number,
  path: string,
  cwd: string,
): Promise<Measured & { readonly output: () => string }> {
  const begun = performance.now()
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await answering(port, path, child, () => output)
  const started = performance.now() - begun
  return {
    pid: child.pid ?? 0,
    port,
    started,
    output: () => output,
    async collect() {
      const from = output.length
      child.kill('SIGUSR2')
      while (!output.includes('collected', from)) {
        if (child.exitCode !== null) throw new Error(`the process ended: ${output}`)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function answering(port: number, path: string, child: ChildProcess, output: () => string) {
  for (let tries = 0; tries < 2000; tries++) {
    if (child.exitCode !== null) throw new Error(`the process ended: ${output()}`)
    const ok = await fetch(`http://127.0.0.1:${port}${path}`).then(
      () => true,
      () => false,
    )
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`the process does not answer: ${output()}`)
}

/**
 * A bare Fastify route: parses one cookie with @fastify/cookie, sends the headers of a verify 200.
 * @param mode `kept-tick`: as `verify`, with what src/server/tick-object.ts does
 */
export async function startBaseline(mode: 'verify' | 'kept-tick' = 'verify'): Promise<Measured> {
  const port = await freePort()
  const flags = mode === 'verify' ? COLLECT : [...COLLECT, ...KEEP_TICK]
  return launch([...flags, BASELINE, String(port), 'verify'], port, '/', process.cwd())
}

/** One route, and no TypeScript to strip. */
export async function startTrivial(): Promise<Measured> {
  const port = await freePort()
  return launch([TRIVIAL, String(port)], port, '/', process.cwd())
}

/** Ours with these rules; `john` of the benches is the first start's admin. */
export async function startVestibule(
  accessControl: unknown,
  {
    folder = mkdtempSync(join(tmpdir(), 'vestibule-bench-')),
    keep = false,
    session = {},
    flags = COLLECT,
    main = MAIN,
  }: {
    readonly folder?: string
    readonly keep?: boolean
    /** More of the section. */
    readonly session?: Readonly<Record<string, unknown>>
    /** Of Node. Without the usual ones, `collect` does not work. */
    readonly flags?: readonly string[]
    readonly main?: string
  } = {},
): Promise<Vestibule> {
  const port = await freePort()
  const portal = `http://auth.bench.localhost:${port}`
  writeFileSync(
    join(folder, 'config.yml'),
    stringify({
      server: { address: `tcp://127.0.0.1:${port}/` },
      data_directory: join(folder, 'data'),
      session: {
        expiration: '1d',
        inactivity: '1d',
        cookies: [{ domain: 'bench.localhost', portal_url: portal }],
        ...session,
      },
      access_control: accessControl,
    }),
  )
  const process = await launch(
    [...flags, main, 'serve', '--config', join(folder, 'config.yml')],
    port,
    '/api/health',
    folder,
  )
  const password = /Password: (\S+)/.exec(process.output())?.[1]
  const cookie = password === undefined ? '' : await signIn(port, password)
  return {
    ...process,
    cookie,
    folder,
    async stop() {
      await process.stop()
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function signIn(port: number, password: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/firstfactor`, {
    method: 'POST',
    // fetch refuses a Host header; behind a trusted proxy the forwarded one counts.
    headers: { 'content-type': 'application/json', 'x-forwarded-host': 'auth.bench.localhost' },
    body: JSON.stringify({ username: 'admin', password }),
  })
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0]
  if (answer.status !== 200 || cookie === undefined) throw new Error(`no session: ${answer.status}`)
  return cookie
}

/** CPU that the threads of a process have used, in microseconds. Linux only. */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((thread) => {
    const [ran = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return Number(ran)
  })
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1000
}

/** The part of a process's CPU that ran in the kernel, in microseconds, in steps of one tick (10 ms). Linux only. */
export function kernelCpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may hold spaces; the time in the kernel is the thirteenth field behind it.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[12]
  return Number(ticks) * 10_000
}

/** Resident memory in MB. Linux only. */
export function rssOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** `median (least–most)`. */
export const spread = (values: readonly number[], digits = 0): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`
