import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEvent } from '../../src/features/audit/event.ts'
import { EVENTS } from '../../src/features/audit/index.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { event } from '../conformance/audit-store.ts'

test('an event is bounded, and nothing in it moves a cursor or ends a line', () => {
  const long = `\u001b[2J\n\u0000\u202e${'x'.repeat(100_000)}`
  const { user, actor, address, userAgent, requestId, details } = createEvent(
    'ban.added',
    {
      user: long,
      actor: `user:${long}`,
      address: long,
      userAgent: long,
      requestId: long,
      details: { reason: long, subject: '192.0.2.1', until: 5 },
    },
    0 as EpochMs, // the brand exists in types only
  )
  for (const text of [user, actor, address, userAgent, requestId, String(details['reason'])]) {
    assert.ok(text.length < 1000)
    assert.doesNotMatch(text, /\p{Cc}|\p{Cf}/u)
  }
  assert.deepEqual({ ...details, reason: '' }, { reason: '', subject: '192.0.2.1', until: 5 })
})

test('ids sort by time', () => {
  const ids = [0, 1, 2, 1000, 1_000_000].map((minute) => event(minute).id)
  assert.deepEqual(ids.toSorted(), ids)
  assert.notEqual(event(0).id, event(0).id)
})

test('names of events are an area and what happened', () => {
  for (const [name, { about, details }] of Object.entries(EVENTS)) {
    assert.match(name, /^[a-z]+\.[a-z-]+(ed|ned)$/)
    assert.match(about, /^[A-Z].*\.$/)
    for (const text of Object.values(details)) assert.match(text, /\.$/)
  }
})
