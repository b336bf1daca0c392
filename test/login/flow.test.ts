import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirectAfter } from '../../src/features/login/api-routes.ts'
import { type Destination, type Facts, next } from '../../src/features/login/flow.ts'
import { secondFactorPage } from '../../src/features/login/pages.ts'

const URL_ = 'https://app.example.com/x'
const safe = (outcome: 'allow' | 'deny' | 'one_factor' | 'two_factor'): Destination => ({
  kind: 'safe',
  url: URL_,
  host: 'app.example.com',
  outcome,
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

test('after the first factor a script is told where to go, or nothing (http-api §3)', () => {
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
