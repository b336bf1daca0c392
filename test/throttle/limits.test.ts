import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseLimits } from '../../src/features/throttle/limits.ts'
import manifest from '../../src/features/throttle/manifest.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** `count/period in seconds`, or the fault. */
function read(text: string): readonly string[] | string {
  const parsed = parseLimits(text)
  if (!parsed.ok) return `${parsed.problem}; allowed: ${parsed.allowed}`
  return parsed.windows.map(({ count, period }) => `${count}/${period / SECOND}`)
}

suite('limits are read as people write them', () => {
  for (const [text, expected] of [
    ['1/second;5/minute;20/hour', ['1/1', '5/60', '20/3600']],
    ['1 per second', ['1/1']],
    ['10/5minutes', ['10/300']],
    ['10/5minute', ['10/300']],
    ['10 per 5 minutes', ['10/300']],
    ['10per5minutes', ['10/300']],
    ['  10 / 5  minutes ,  1/second|3/day ', ['10/300', '1/1', '3/86400']],
    ['2/WEEK; 3 Per Month, 4/years', ['2/604800', '3/2592000', '4/31536000']],
    ['disable', []],
    [' Disable ', []],
  ] as const)
    test(JSON.stringify(text), () => assert.deepEqual(read(text), expected))
})

suite('a fault says at which character it is', () => {
  for (const [text, position] of [
    ['', 'has nothing at character 1'],
    ['often', 'has "often" at character 1'],
    ['0/minute', 'has "0" at character 1; allowed: 1 to 10000'],
    ['10001/minute', 'has "10001" at character 1; allowed: 1 to 10000'],
    ['5', 'has nothing at character 2'],
    ['5/', 'has nothing at character 3'],
    ['5/minuet', 'has "minuet" at character 3'],
    ['1/second;5/minuet', 'has "minuet" at character 12'],
    ['1/second; 5 perminute', 'has "perminute" at character 13'],
    ['1/second 5/minute', 'goes on with "5" at character 10'],
    ['1/second;', 'has nothing at character 10'],
    ['1/second;;5/minute', 'has ";" at character 10'],
    ['5/0 minutes', 'has "0" at character 3'],
    ['5/11 years', 'has "years" at character 6; allowed: at most ten years'],
    ['-1/second', 'has "-" at character 1'],
    ['1.5/second', 'has "." at character 2'],
    ['disable;1/second', 'has "disable" at character 1'],
    [`${'1/day;'.repeat(20)}1/day`, 'has more than 16 limits'],
  ] as const)
    test(JSON.stringify(text.slice(0, 40)), () => {
      const fault = read(text)
      assert.equal(typeof fault, 'string')
      assert.ok(String(fault).startsWith(position), String(fault))
    })
})

test('without the key the limit is 1/second;5/minute;20/hour', () => {
  assert.deepEqual(manifest.config.failed_login_rate_limit.parse(undefined), [
    { count: 1, period: SECOND },
    { count: 5, period: MINUTE },
    { count: 20, period: HOUR },
  ])
})
