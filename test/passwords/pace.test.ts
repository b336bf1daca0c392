import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from '../../src/features/passwords/pace.ts'
import { FakeClock } from '../support/clock.ts'

/** A store with cheap and costly digests, on a machine that is so much slower than at its best. */
function machine() {
  const pace = createPace(new FakeClock())
  const costs = { cheap: 20, costly: 200 }
  pace.costliest('costly', costs.costly)
  const check = (kind: keyof typeof costs, factor = 1, around = 2) =>
    pace.observe(kind, costs[kind] * factor, around)
  for (let i = 0; i < 50; i++) check('cheap')
  return { pace, check, costs }
}

test('every check occupies its place for as long as one of the costliest digest', () => {
  const { pace, check } = machine()
  assert.ok(pace.span() >= 200 && pace.span() < 210, String(pace.span()))
  for (let i = 0; i < 50; i++) check('costly')
  assert.ok(pace.span() >= 200 && pace.span() < 210, String(pace.span()))
})

test('on a busy machine it follows whichever checks are made, cheap ones too', () => {
  for (const [kind, least] of [
    ['cheap', 400],
    ['costly', 600],
  ] as const) {
    const { pace, check } = machine()
    for (let i = 0; i < 600; i++) check(kind, 3)
    assert.ok(pace.span() >= least && pace.span() < 700, `${kind}: ${pace.span()}`)
    for (let i = 0; i < 600; i++) check(kind, 1)
    assert.ok(pace.span() < 230, `${kind}: ${pace.span()}`)
  }
})

test('cheap checks that a busy machine runs at once do not make it forget what costly ones take', () => {
  const { pace, check } = machine()
  for (let i = 0; i < 30; i++) check('costly', 3)
  const before = pace.span()
  for (let i = 0; i < 16; i++) check('cheap', 1)
  assert.ok(pace.span() > 0.8 * before, `${before}, then ${pace.span()}`)
})

test('checks that vary are given time to', () => {
  const { pace, check } = machine()
  let late = 0
  for (let i = 0; i < 400; i++) {
    const factor = 1 + ((i * 7919) % 100) / 200
    if (200 * factor + 2 > pace.span()) late++
    check('costly', factor)
  }
  assert.ok(late < 40, `${late} of 400 took longer than their place was theirs for`)
})

test('a machine in trouble makes nobody wait for ever, and until something is measured nobody waits', () => {
  const { pace, check } = machine()
  for (let i = 0; i < 60; i++) check('cheap', 1000)
  assert.ok(pace.span() <= 8 * 225)
  const fresh = createPace(new FakeClock())
  fresh.observe('cheap', 20, 1)
  assert.equal(fresh.span(), 0)
})

test('a costly digest that has gone counts no more', () => {
  const { pace } = machine()
  pace.costliest('cheap', 20)
  assert.ok(pace.span() < 30, String(pace.span()))
})

test('what a check takes itself does not change for how long it has its place', async () => {
  const clock = new FakeClock()
  const pace = createPace(clock)
  pace.costliest('costly', 200)
  const rest = pace.begin()
  clock.advance(200)
  pace.observe('costly', 2000, 0)
  assert.ok(pace.span() > 400)
  await rest()
})
