import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  carriedFields,
  isCarriedName,
  NOTHING_CARRIED,
  readCarried,
  withCarried,
  withoutUnsafe,
} from '../../src/features/portal/index.ts'
import { readPairs } from '../../src/kernel/pairs.ts'

const carried = fc.record({
  rd: fc.string(),
  rm: fc.constantFrom('', 'GET', 'POST', 'PROPFIND'),
  interaction: fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/),
})

test('what is carried comes back from a form and from an address as it was', () => {
  fc.assert(
    fc.property(carried, (one) => {
      assert.deepEqual(readCarried(carriedFields(one)), { ...one })
      const query = withCarried('/', one, { failed: '' }).slice('/?'.length)
      assert.deepEqual(readCarried(Object.fromEntries(new URLSearchParams(query))), { ...one })
      for (const name of Object.keys(carriedFields(one))) assert.ok(isCarriedName(name))
    }),
  )
})

test('nothing is carried where nothing was asked for', () => {
  assert.equal(withCarried('/logout', NOTHING_CARRIED), '/logout')
  assert.deepEqual(readCarried(undefined), NOTHING_CARRIED)
  assert.deepEqual(readCarried({ failed: '' }), NOTHING_CARRIED)
})

test('a repeated field counts as missing', () => {
  const query = 'rd=https://a.example.com/&rd=https://b.example.com/&rm=GET&flow_id=a&flow_id=b'
  assert.deepEqual(readCarried(readPairs(`${query}&flow=openid_connect`)), {
    ...NOTHING_CARRIED,
    rm: 'GET',
  })
})

test('an interaction is an id of a known flow and nothing else', () => {
  const read = (flow: string, flow_id: string) => readCarried({ flow, flow_id }).interaction
  assert.equal(
    read('openid_connect', '7f1b3b70-9c1a-4d0a-8f53-1a0c1e0a7d11'),
    '7f1b3b70-9c1a-4d0a-8f53-1a0c1e0a7d11',
  )
  assert.equal(read('device', 'x'), '')
  for (const id of ['', '../x', 'a b', '"><script>', 'ä', 'a'.repeat(65)])
    assert.equal(read('openid_connect', id), '')
})

test('a target that is not followed is dropped between portals, and an interaction is kept', () => {
  const away = { rd: 'https://evil.test/', rm: 'POST', interaction: 'abc' }
  assert.deepEqual(withoutUnsafe(away, ['example.com']), { rd: '', rm: '', interaction: 'abc' })
  const safe = { rd: 'https://app.example.com/', rm: 'POST', interaction: '' }
  assert.deepEqual(withoutUnsafe(safe, ['example.com']), safe)
})
