import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsOf } from '../../src/control/commands.ts'
import { sessionOperations } from '../../src/features/sessions/operations.ts'
import { bindOperations } from '../../src/kernel/operation.ts'

function source() {
  const row = (id: string, user: string) => ({
    id,
    key: 'c0ffee',
    domain: 'example.com',
    user,
    factors: [{ kind: 'password' }],
    createdAt: 1,
    lastSeen: 2,
    expiresAt: 3,
    remembered: false,
    address: '192.0.2.1',
    userAgent: 'x',
  })
  const alive = new Map(
    [row('a', 'john'), row('b', 'john'), row('c', 'mary')].map((r) => [r.id, r]),
  )
  const noted: string[] = []
  const audit = {
    record: (name: string, { user, details }: { user: string; details?: { sessions?: unknown } }) =>
      void noted.push(`${name} ${user} ${details?.sessions}`),
  }
  const sessions = {
    list: async (user?: string) =>
      [...alive.values()].filter((r) => user === undefined || r.user === user),
    revokeById: async (id: string) => (alive.delete(id) ? [id] : []),
    revokeUser: async (user: string) => {
      const ids = [...alive.values()].filter((r) => r.user === user).map(({ id }) => id)
      for (const id of ids) alive.delete(id)
      return ids.length
    },
  }
  const commands = commandsOf(bindOperations(sessionOperations, { sessions, audit }))
  const ask = (name: string, args: unknown) => commands[name]?.(args)
  return { ask, alive, noted }
}

test('a list holds what a person needs and nothing a thief could use', async () => {
  const { ask } = source()
  const rows = await ask('sessions.list', { user: 'mary' })
  assert.doesNotMatch(JSON.stringify(rows), /c0ffee|key/)
  assert.match(JSON.stringify(rows), /^\[\{"id":"c"/)
})

test('sessions are revoked by id, by user, or all', async () => {
  const { ask, alive, noted } = source()
  assert.deepEqual(await ask('sessions.revoke', { ids: ['a', 'x'] }), {
    revoked: 1,
    unknown: ['x'],
  })
  assert.deepEqual(await ask('sessions.revoke', { user: 'john' }), { revoked: 1, unknown: [] })
  assert.deepEqual([...alive.keys()], ['c'])
  assert.deepEqual(await ask('sessions.revoke', { all: true }), { revoked: 1, unknown: [] })
  assert.equal(alive.size, 0)
  assert.deepEqual(noted, [
    'session.revoked john 1',
    'session.revoked john 1',
    'session.revoked mary 1',
  ])
})

test('arguments that say two things, or nothing, revoke nothing', async () => {
  const { ask, alive } = source()
  for (const args of [{}, { ids: [] }, { all: false }, { all: true, user: 'john' }, null]) {
    await assert.rejects(async () => ask('sessions.revoke', args))
  }
  assert.equal(alive.size, 3)
})
