import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDuration, parseDuration } from '../../src/kernel/duration.ts'

const H = 3_600_000
const READ: readonly [string | number, number][] = [
  [5, 5000],
  ['5', 5000],
  ['0', 0],
  ['1h', H],
  ['1h30m', 1.5 * H],
  ['1h 30m', 1.5 * H],
  ['250ms', 250],
  ['1d', 24 * H],
  ['2w', 14 * 24 * H],
  ['1M', 30 * 24 * H],
  ['1y', 365 * 24 * H],
  ['5 minutes', 300_000],
  ['1 week and 2 days', 9 * 24 * H],
  ['1 day and 5 hours', 29 * H],
  ['-1', -1000],
  [-1, -1000],
]
for (const [given, ms] of READ) {
  test(`${JSON.stringify(given)} is ${ms} ms`, () => assert.equal(parseDuration(given), ms))
}
for (const given of [
  '',
  'h',
  '1x',
  '1h-',
  '-5m',
  '1.5h',
  'one hour',
  '1 h h',
  -2,
  1.5,
  '1e3',
  '9'.repeat(40),
]) {
  test(`${JSON.stringify(given)} is no duration`, () =>
    assert.equal(parseDuration(given), undefined))
}
test('durations read like a sentence', () => {
  assert.equal(formatDuration(30 * 24 * H), '1 month')
  assert.equal(formatDuration(1.5 * H), '1 hour 30 minutes')
  assert.equal(formatDuration(0), '0 seconds')
})
