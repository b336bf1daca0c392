/** Requirement 37: a browser that is known signs in while strangers flood the sign-in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeDigest } from '../../src/features/passwords/index.ts'
import { type Answer, PASSWORD, request, startServer } from '../support/server.ts'

/** Costly enough for a flood to keep the queue full. */
const ARGON2 = { memory: 16_384, iterations: 2, parallelism: 1 }
const CONNECTIONS = 150
const SIGN_INS = 25

test('of 25 sign-ins from a known device none is turned away by a flood of strangers, one attempt from each /64', async (t) => {
  const digest = await makeDigest(
    { algorithm: 'argon2', variant: 'argon2id', ...ARGON2, keyLength: 32, saltLength: 16 },
    PASSWORD,
  )
  const user = { displayname: 'Somebody', password: digest }
  const server = await startServer(t, {
    config: {
      authentication_backend: {
        file: { password: { argon2: ARGON2 } },
        hashing: { concurrency: 1, queue: 64 },
      },
      failed_login_rate_limit: '1/second;5/minute;20/hour',
      regulation: { max_retries: 3 },
    },
    // JSON is YAML.
    users: JSON.stringify({ users: { john: user, bob: user } }),
  })
  const attempt = (username: string, password: string, client: string, cookie = '') =>
    request(server.port, '/api/firstfactor', {
      method: 'POST',
      headers: {
        Host: `auth.vestibule.localhost:${server.port}`,
        'Content-Type': 'application/json',
        'X-Forwarded-For': client,
        ...(cookie !== '' && { Cookie: cookie }),
      },
      body: JSON.stringify({ username, password }),
    })
  const deviceOf = ({ headers }: Answer): string =>
    headers['set-cookie']?.find((line) => line.includes('_device='))?.split(';', 1)[0] ?? ''

  let device = deviceOf(await attempt('john', PASSWORD, '192.0.2.1'))
  assert.notEqual(device, '')
  let over = false
  let asked = 0
  const strangers: Record<number, number> = {}
  const lines = Array.from({ length: CONNECTIONS }, async (_, line) => {
    while (!over) {
      const i = asked++
      // Half of them make up a device cookie: that alone is worth nothing.
      const cookie = line % 2 === 0 ? '' : `vestibule_session_device=${String(i).padStart(43, 'x')}`
      const client = `2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`
      const { status } = await attempt(i % 3 === 0 ? 'john' : `u${i}`, 'wrong', client, cookie)
      strangers[status] = (strangers[status] ?? 0) + 1
    }
  })
  try {
    while (strangers[503] === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
    const statuses: number[] = []
    for (let i = 0; i < SIGN_INS; i++) {
      const before = asked
      const answer = await attempt('john', PASSWORD, '192.0.2.1', device)
      statuses.push(answer.status)
      device = deviceOf(answer) || device
      assert.ok(asked > before, 'the flood goes on meanwhile')
    }
    assert.deepEqual(
      statuses,
      statuses.map(() => 200),
    )
    const unknown = await attempt('bob', PASSWORD, '192.0.2.2')
    t.diagnostic(`strangers: ${JSON.stringify(strangers)}; a new browser: ${unknown.status}`)
    assert.ok((strangers[401] ?? 0) > 0, 'strangers have their turns too')
  } finally {
    over = true
    await Promise.all(lines)
  }
})
