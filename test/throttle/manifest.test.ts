import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import manifest, { inForce, Regulation } from '../../src/features/throttle/manifest.ts'

const MINUTE = 60_000

/** What a check of this configuration says. */
function check(regulation: Readonly<Record<string, unknown>>) {
  const said: string[] = []
  manifest.check(
    { regulation: Regulation.parse(regulation) },
    {
      fault: (path, message) => said.push(`fault ${path.join('.')}: ${message}`),
      warn: (path, message) => said.push(`warning ${path.join('.')}: ${message}`),
    },
    () => true,
  )
  return said
}

suite('a 0 in regulation', () => {
  test('is the default as a duration, and the start says so: no ban is lost by it', () => {
    assert.deepEqual(check({ find_time: 0, ban_time: '0s' }), [
      'warning regulation.find_time: 0 is the default, 2 minutes; max_retries: 0 turns bans off',
      'warning regulation.ban_time: 0 is the default, 5 minutes; max_retries: 0 turns bans off',
    ])
    const { find_time, ban_time } = inForce(Regulation.parse({ find_time: 0, ban_time: 0 }))
    assert.deepEqual([find_time, ban_time], [2 * MINUTE, 5 * MINUTE])
  })

  test('turns bans off as a number of retries, and the start says so', () => {
    assert.equal(check({ max_retries: 0 }).length, 1)
    assert.match(
      check({ max_retries: 0 })[0] ?? '',
      /^warning regulation.max_retries: 0 turns bans off/,
    )
  })

  test('is held against the other duration as what it means', () => {
    assert.match(check({ find_time: 0, ban_time: '1m' })[1] ?? '', /^fault .* longer than ban_time/)
    assert.equal(check({ find_time: '3m', ban_time: 0 }).length, 1)
  })

  test('is not there by itself', () => {
    assert.deepEqual(check({}), [])
    assert.deepEqual(check({ find_time: '1h', ban_time: '1h' }), [])
  })
})
