/** The server that the enumeration drill asks, and how it asks. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import argon2 from 'argon2'
import { makeDigest } from '../../src/features/passwords/index.ts'
import { freePort } from '../support/nginx.ts'
import { configFor, PASSWORD, run } from '../support/server.ts'
import type { Cleanup } from './options.ts'
import { spawnServer } from './server.ts'

export const KINDS = ['known', 'unknown', 'disabled', 'banned', 'other-scheme'] as const
export type Kind = (typeof KINDS)[number]

export interface Costs {
  /** Of argon2id: what is configured, and what the digests are made with. */
  readonly argon2: { readonly memory: number; readonly iterations: number }
  /** Rounds of the digest of another scheme, SHA-512-crypt. */
  readonly rounds: number
}

/**
 * Starts a server with a user of each kind.
 * @param concurrency hashes at a time; the server's own choice when undefined
 * @returns its port
 */
export async function openServer(
  cleanup: Cleanup,
  costs: Costs,
  concurrency?: number,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-enumeration-'))
  cleanup.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const configFile = join(folder, 'config.yml')
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  const digest = await argon2.hash(PASSWORD, {
    type: argon2.argon2id,
    memoryCost: costs.argon2.memory,
    timeCost: costs.argon2.iterations,
    parallelism: 1,
  })
  const other = await makeDigest(
    { algorithm: 'sha2crypt', variant: 'sha512', iterations: costs.rounds, saltLength: 16 },
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
    authentication_backend: {
      ...(concurrency !== undefined && { hashing: { concurrency } }),
      file: { password: { argon2: { variant: 'argon2id', parallelism: 1, ...costs.argon2 } } },
    },
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

/** @param client the address that it comes from; the drill's own when undefined */
export function signIn(port: number, username: string, password: string, client?: string): string {
  const body = JSON.stringify({ username, password })
  return (
    `POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost:${port}\r\n` +
    (client === undefined ? '' : `X-Forwarded-For: ${client}\r\n`) +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

export interface Line {
  /** One request, and its whole answer. `stays`: the connection is kept for another. */
  ask(request: string): Promise<{ bytes: string; took: number; stays: boolean }>
  close(): void
}

/** One connection, kept for as long as the server keeps it. */
export async function openLine(port: number): Promise<Line> {
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
