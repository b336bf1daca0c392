import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirectAfter } from '../../src/features/login/api-routes.ts'
import { next } from '../../src/features/login/flow.ts'
import { secondFactorPage } from '../../src/features/login/pages.ts'
import type { Destination, Facts } from '../../src/features/portal/index.ts'

const URL_ = 'https://app.example.com/x'
const safe = (outcome: 'allow' | 'deny' | 'one_factor' | 'two_factor'): Destination => ({
  kind: 'safe',
  url: URL_,
  host: 'app.example.com',
  outcome,
})
const interaction = (outcome: 'allow' | 'deny' | 'two_factor'): Destination => ({
  ...{ kind: 'interaction', id: 'i', client: 'Grafana', url: '/go', outcome },
})
const none: Destination = { kind: 'none' }
const unsafe: Destination = { kind: 'unsafe' }
const facts = (more: Partial<Facts>): Facts => ({
  level: 1,
  justSignedIn: false,
  destination: none,
  defaultRedirection: undefined,
  ...more,
})

const STEPS: readonly [string, Partial<Facts>, string][] = [
  ['nobody signs in', { level: 0 }, 'sign-in'],
  ['nobody with a safe target signs in', { level: 0, destination: safe('allow') }, 'sign-in'],
  ['nobody is sent on, bypass or not', { level: 0, destination: safe('deny') }, 'sign-in'],
  [
    'a sign-in whose cookie did not come back is explained',
    { level: 0, justSignedIn: true },
    'cookie-refused',
  ],
  ['somebody without target sees that they are signed in', {}, 'signed-in'],
  ['an interaction is gone on with', { destination: interaction('allow') }, 'continue'],
  [
    'a client that the rules deny is explained',
    { destination: interaction('deny') },
    'not-allowed',
  ],
  [
    'a client that asks for two factors is explained',
    { destination: interaction('two_factor') },
    'second-factor',
  ],
  [
    'an interaction waits until the user has signed in',
    { level: 0, destination: interaction('allow') },
    'sign-in',
  ],
  ['an unsafe target is as good as none', { destination: unsafe }, 'signed-in'],
  ['a safe target is followed', { destination: safe('allow') }, 'continue'],
  ['a target that the rules deny is explained', { destination: safe('deny') }, 'not-allowed'],
  [
    'a target that asks for two factors is explained',
    { destination: safe('two_factor') },
    'second-factor',
  ],
  [
    'asking again for the factor one has would loop',
    { destination: safe('one_factor') },
    'not-allowed',
  ],
  [
    'a default is for a fresh sign-in',
    { justSignedIn: true, defaultRedirection: URL_ },
    'continue',
  ],
  ['a default is not for a visitor', { defaultRedirection: URL_ }, 'signed-in'],
  [
    'an unsafe target falls back to the default',
    { justSignedIn: true, destination: unsafe, defaultRedirection: URL_ },
    'continue',
  ],
]
for (const [sentence, given, kind] of STEPS) {
  test(sentence, () => assert.equal(next(facts(given)).kind, kind))
}

test('contributors are asked in their order, and the first with a step is heard', () => {
  const asked: string[] = []
  const contributor = (name: string, path?: `/${string}`) => ({
    name,
    next: () => {
      asked.push(name)
      return path === undefined ? undefined : { path }
    },
  })
  const three = [contributor('a'), contributor('b', '/b'), contributor('c', '/c')]
  const step = next(facts({ destination: safe('allow') }), three)
  assert.deepEqual(step, { kind: 'contributed', by: 'b', path: '/b' })
  assert.deepEqual(asked, ['a', 'b'])
})

test('a contributor cannot open what the rules keep closed', () => {
  const given = facts({ destination: safe('two_factor') })
  const meddler = {
    name: 'meddler',
    next: (seen: Facts) => {
      Object.assign(seen.destination, { outcome: 'allow' })
      Object.assign(seen, { level: 2 })
      return undefined
    },
  }
  assert.equal(next(given, [meddler]).kind, 'second-factor')
})

test('a client that is not signed in meets no contributor', () => {
  const never = {
    name: 'never',
    next: () => assert.fail('asked about a client that is not signed in'),
  }
  assert.equal(next(facts({ level: 0 }), [never]).kind, 'sign-in')
})

test('after the first factor a script is told where to go, or nothing', () => {
  assert.equal(redirectAfter(none, undefined), undefined)
  assert.equal(redirectAfter(none, 'https://home/'), 'https://home/')
  assert.equal(redirectAfter(unsafe, 'https://home/'), 'https://home/')
  assert.equal(redirectAfter(unsafe, undefined), undefined)
  assert.equal(redirectAfter(safe('allow'), 'https://home/'), URL_)
  assert.equal(redirectAfter(safe('deny'), undefined), URL_)
  assert.equal(redirectAfter(safe('two_factor'), 'https://home/'), undefined)
})

test('who needs a second factor has a way back, besides signing out', () => {
  const { content } = secondFactorPage((key) => key, { user: 'john', host: 'bank', base: '/base' })
  assert.match(content, /href="\/base\/">login\.home</)
  assert.match(content, /href="\/base\/logout">/)
})
