import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  createMemoryStore,
  type FactorKind,
  levelOf,
  methodReferencesOf,
  type Session,
} from '../../src/features/sessions/index.ts'
import { createRecords } from '../../src/features/sessions/record.ts'
import { decodeRecord, encodeRecord } from '../../src/features/sessions/record-versions.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { HOUR, MINUTE, openHouse, SECRET } from './house.ts'
import {
  readByPreviousRelease,
  SEALED_BY_PREVIOUS_RELEASE,
  writeByPreviousRelease,
} from './previous-release.ts'

const NOON = Date.UTC(2026, 0, 15, 12)
const at = (ms: number) => (NOON + ms) as EpochMs // times of the tests
const PLAIN: Session = {
  id: 'id',
  key: 'key',
  domain: 'example.com',
  login: 'sign-in',
  user: 'alice',
  factors: [{ kind: 'password', at: at(0) }],
  createdAt: at(0),
  expiresAt: at(HOUR),
  remembered: true,
  address: '192.0.2.1',
  userAgent: 'Firefox',
  elevatedUntil: undefined,
  lastSeen: at(MINUTE),
}
const RAISED: Session = {
  ...PLAIN,
  factors: [...PLAIN.factors, { kind: 'totp', at: at(MINUTE) }],
}

suite('the record of a session', () => {
  test('gives back what was written, of every shape', () => {
    for (const session of [
      PLAIN,
      RAISED,
      { ...PLAIN, elevatedUntil: at(10 * MINUTE) },
      { ...PLAIN, factors: [{ kind: 'password', at: at(MINUTE) }] as const },
      { ...PLAIN, factors: [{ kind: 'passkey', at: at(0) }] as const, remembered: false },
    ])
      assert.deepEqual(decodeRecord(encodeRecord(session), PLAIN), session)
  })

  test('of the previous release is read, with the factor at the time of signing in', () => {
    const row = { ...SEALED_BY_PREVIOUS_RELEASE, expiresAt: at(0) }
    assert.deepEqual(createRecords([SECRET]).open(row), { ...PLAIN, id: row.id, key: row.key })
  })

  test('is one that the previous release reads, and writes without losing anything', () => {
    const read = readByPreviousRelease(encodeRecord(PLAIN))
    assert.ok(read)
    const written = writeByPreviousRelease(read, at(2 * MINUTE))
    assert.deepEqual(decodeRecord(written, PLAIN), { ...PLAIN, lastSeen: at(2 * MINUTE) })
  })

  test('that the previous release could only read in part is none to it', () => {
    assert.equal(readByPreviousRelease(encodeRecord(RAISED)), undefined)
    const elevated = { ...PLAIN, elevatedUntil: at(HOUR) }
    assert.equal(readByPreviousRelease(encodeRecord(elevated)), undefined)
  })

  test('is none when its version is unknown, or its fields are not those of its version', () => {
    const record: unknown[] = JSON.parse(encodeRecord(RAISED))
    const spoilt = [
      [4, ...record.slice(1)],
      ['3', ...record.slice(1)],
      [...record, 'more'],
      record.slice(0, -1),
      [2, ...record.slice(1)],
      record.with(3, []),
      record.with(3, [['password', -1]]),
      record.with(3, [['telepathy', 1]]),
      record.with(3, [['toString', 1]]),
      record.with(11, 0.5),
      [],
      {},
      null,
      7,
    ]
    for (const one of spoilt)
      assert.equal(decodeRecord(JSON.stringify(one), PLAIN), undefined, JSON.stringify(one))
    assert.equal(decodeRecord('[3', PLAIN), undefined)
  })

  test('of a later release is no session, and is left in place', async (t) => {
    const store = createMemoryStore()
    const house = openHouse(t, { store })
    const { value, key, id } = await house.signIn('alice')
    const row = await store.get(key)
    assert.ok(row)
    const place = `session/${key}/${id}/${row.owner}`
    const later = Buffer.from(JSON.stringify([9, { user: 'alice' }]))
    const sealed = createSealer([SECRET], 'session').seal(later, place)
    await store.touch([{ ...row, sealed }])
    const cold = openHouse(t, { store, clock: house.clock, users: house.users })
    assert.equal(await cold.who(value), undefined)
    assert.deepEqual(await cold.sessions.list(), [])
    await cold.sessions.close()
    assert.equal((await store.get(key))?.sealed, sealed)
  })
})

test('the level is 2 when knowledge and possession were shown, whatever their number', () => {
  const levels: readonly [readonly FactorKind[], 1 | 2][] = [
    [['password'], 1],
    [['totp'], 1],
    [['totp', 'webauthn', 'recovery-code'], 1],
    [['password', 'totp'], 2],
    [['webauthn', 'password'], 2],
    [['password', 'recovery-code'], 2],
    [['passkey'], 2],
  ]
  for (const [kinds, level] of levels) {
    const factors = kinds.map((kind) => ({ kind, at: at(0) }))
    assert.equal(levelOf({ factors }), level, kinds.join())
    assert.equal(methodReferencesOf({ factors }).includes('mfa'), level === 2, kinds.join())
  }
  const of = (...kinds: FactorKind[]) =>
    methodReferencesOf({ factors: kinds.map((kind) => ({ kind, at: at(0) })) })
  assert.deepEqual(of('password'), ['pwd', 'kba'])
  assert.deepEqual(of('password', 'totp', 'recovery-code'), ['pwd', 'kba', 'otp', 'mfa'])
  assert.deepEqual(of('passkey'), ['pop', 'user', 'pin', 'mfa'])
})
