import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './nginx.ts'
import { missing } from './program.ts'

type Cleanup = Pick<TestContext, 'after'>

/** Why tests with Redis can't run here; undefined when they can. */
export const withoutRedis = missing('redis-server')

/** A real Redis in a folder of its own, which can be paused, killed and started again on the same port. */
export interface RedisServer {
  readonly port: number
  readonly folder: string
  readonly pid: number
  /** A client of the test's own, without any of our code. */
  client(): Promise<Redis>
  /** SIGSTOP: it takes connections and says nothing. */
  pause(): void
  resume(): void
  /** Ends it, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again with the data it has on disk. */
  start(): Promise<void>
}

export interface RedisServerOptions {
  readonly args?: readonly string[]
  readonly port?: number
  readonly folder?: string
  /** The configuration of a sentinel; it is one then. */
  readonly sentinel?: string
}

/** @param t the server ends with it */
export async function startRedis(
  t: Cleanup,
  { args = [], sentinel, ...where }: RedisServerOptions = {},
): Promise<RedisServer> {
  const port = where.port ?? (await freePort())
  const folder = where.folder ?? mkdtempSync(join(tmpdir(), 'vestibule-redis-'))
  const clients: Redis[] = []
  let child: ReturnType<typeof spawn>
  let ended: Promise<void>
  const start = async (): Promise<void> => {
    let output = ''
    const common = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder]
    child = spawn(
      'redis-server',
      sentinel === undefined
        ? [...common, '--save', '', ...args]
        : [sentinel, ...common, '--sentinel', ...args],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output = `${output}${chunk}`.slice(-5000)
      })
    const mine = child
    ended = new Promise((resolve) => mine.once('exit', () => resolve()))
    for (let tries = 0; tries < 3000; tries++) {
      if (mine.exitCode !== null) throw new Error(`redis-server ended: ${output}`)
      if (
        /Ready to accept connections|\+monitor master/.test(output) &&
        (await connects(listening))
      )
        return
      await sleep(10)
    }
    throw new Error(`redis-server does not answer: ${output}`)
  }
  // With TLS alone there is no plain port.
  const tlsPort = args[args.indexOf('--tls-port') + 1]
  const listening = args.includes('--tls-port') ? Number(tlsPort) : port
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
  }
  await start()
  t.after(async () => {
    for (const client of clients) client.disconnect()
    await kill()
    if (where.folder === undefined) rmSync(folder, { recursive: true, force: true })
  })
  return {
    port,
    folder,
    get pid() {
      return child.pid ?? 0
    },
    async client() {
      const client = new Redis({ port, protocol: 2, lazyConnect: true, retryStrategy: () => 100 })
      client.on('error', () => {})
      clients.push(client)
      await client.connect()
      return client
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    start,
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
