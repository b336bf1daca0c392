import assert from 'node:assert/strict'
import { test } from 'node:test'
import v8 from 'node:v8'
import vm from 'node:vm'
import fc from 'fast-check'
import { oneHostFixture } from '../../bench/rules.ts'
import { createAccess } from '../../src/features/access/index.ts'
import type { AccessControl } from '../../src/features/access/manifest.ts'
import { NETWORKS, oneHostControls, subjects, targets } from './arbitraries.ts'
import { nanoseconds } from './nanoseconds.ts'
import { referenceVerdict } from './reference.ts'
import { access, nobody, person, target } from './rules.ts'

const john = person('john', 'staff')
const numbered = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))

test('hundreds of rules on one host decide as the naive reading of the text does', () => {
  const askings = fc.array(fc.tuple(subjects, targets), { minLength: 3, maxLength: 6 })
  fc.assert(
    fc.property(oneHostControls, askings, (control, asked) => {
      const engine = createAccess(control, NETWORKS)
      for (const [subject, anywhere] of asked) {
        const asking = { ...anywhere, host: 'a.example.com' }
        const { refusal: _, ...verdict } = engine.verdict(subject, asking)
        assert.deepEqual(verdict, referenceVerdict(control, NETWORKS, subject, asking))
        assert.deepEqual(engine.explain(subject, asking).verdict, engine.verdict(subject, asking))
      }
    }),
    { numRuns: 20 },
  )
})

test('each of 10,000 rules of one host is found by what only it is about', () => {
  const { verdict } = access(oneHostFixture(10_000).accessControl)
  const policyAt = (path: string, options = {}, subject = john) =>
    verdict(subject, target(`https://one.example.com${path}`, options)).rule
  for (let i = 0; i < 9996; i += 6) {
    assert.equal(policyAt(`/page/${i}`), i)
    assert.equal(policyAt(`/app${i + 1}/x/y`), i + 1)
    assert.equal(policyAt(`/app${i + 1}?x`), i + 1)
    assert.equal(policyAt(`/api/v${i}/item${i + 2}/view`), i + 2)
    assert.equal(policyAt(`/team${i + 3}/`, {}, person('mary', `team${i + 3}`)), i + 3)
    assert.equal(policyAt(`/team${i + 3}/`, {}, nobody), i + 3)
    assert.equal(policyAt(`/team${i + 3}/`), undefined)
    assert.equal(policyAt(`/hook${i + 4}`, { method: 'PUT' }), i + 4)
    assert.equal(policyAt(`/hook${i + 4}`), undefined)
    const address = `10.${((i + 5) >> 8) & 255}.${(i + 5) & 255}.9`
    assert.equal(policyAt(`/lan${i + 5}/`, { address }), i + 5)
    assert.equal(policyAt(`/lan${i + 5}/`), undefined)
  }
})

test('a decision among 10,000 rules of one host costs about what one among 10 does', () => {
  const cost = (count: number): number => {
    const { decide } = access(oneHostFixture(count).accessControl)
    const asked = ['/', '/api/v1/items/42', '/assets/a.js', '/page/7', '/users/17/profile?x=1'].map(
      (path) => target(`https://one.example.com${path}`),
    )
    let next = 0
    return nanoseconds(() => {
      const one = asked[next++ % asked.length]
      if (one !== undefined) decide(john, 1, one)
    }, 10_000)
  }
  const [ten, thousands] = [cost(10), cost(10_000)]
  // A walk through the rules would cost a thousand times as much
  assert.ok(thousands < ten * 12, `${thousands} ns against ${ten} ns`)
})

test('paths never seen before cost what a path costs that is asked again and again', () => {
  const { decide } = access(oneHostFixture(10_000).accessControl)
  let seed = 1
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % below
  }
  const pieces = ['/page/', '/app', '/api/v', '/item', '/team', '1', '7', '42', '/edit', 'x', '.']
  const fresh = numbered(1000, () =>
    target(`https://one.example.com/${numbered(400, () => pieces[random(11)]).join('')}`),
  )
  let next = 0
  const cost = (list: typeof fresh) =>
    nanoseconds(() => {
      const one = list[next++ % list.length]
      if (one !== undefined) decide(john, 1, one)
    }, 1000)
  const [again, ever] = [cost(fresh.slice(0, 20)), cost(fresh)]
  assert.ok(ever < again * 5, `${ever} ns against ${again} ns`)
})

/** Each pattern waits, wherever the path goes on, for an end of its own: a path can be in all of them at once. */
const dear: AccessControl = {
  default_policy: 'bypass',
  rules: numbered(10_000, (i) => ({
    domain: ['a.example.com'],
    policy: 'bypass' as const,
    resources: [`/k${i.toString(36)}/.*z${i}z`],
  })),
}

test('a path that would take too long to look for is refused, and the next one is answered', () => {
  const engine = createAccess(dear, {})
  const hostile = numbered(2500, (i) => `/k${i.toString(36)}/`).join('')
  const refused = engine.verdict(john, target(`https://a.example.com${hostile}`))
  assert.deepEqual(refused, {
    policy: 'deny',
    rule: undefined,
    hasSubject: false,
    readings: 0,
    refusal: 'work',
  })
  const { verdict, askings } = engine.explain(nobody, target(`https://a.example.com${hostile}`))
  assert.equal(verdict.refusal, 'work')
  assert.deepEqual(askings, [])
  const honest = engine.verdict(john, target('https://a.example.com/k7/a/z7z'))
  assert.equal(honest.rule, 7)
})

test('what a decision may cost is bounded for all readings, queries and askings together', () => {
  const engine = createAccess(dear, {})
  const start = numbered(600, (i) => `/k${i.toString(36)}/`).join('')
  const cost = (path: string) => {
    const asked = target(`https://a.example.com${path}`)
    return nanoseconds(() => engine.verdict(john, asked), 10)
  }
  // One reading that uses it up, and twenty-four askings of what each of them could just afford
  const once = cost(numbered(2500, (i) => `/k${i.toString(36)}/`).join(''))
  const many = cost(`/a;b/..%2f%2e${start}?${start}#z`)
  assert.ok(many < once * 3, `${many} ns against ${once} ns`)
})

test('a long path against usual patterns is far from being refused', () => {
  const { verdict } = access({
    default_policy: 'bypass',
    rules: numbered(10_000, (i) => ({
      domain: 'a.example.com',
      policy: 'deny',
      resources: [`^/x${i}/.*secret`, `\\.(css|js)${i}$`, `/admin${i}(/.*)?$`],
    })),
  })
  const path = `/x7/${'/admin.css.js'.repeat(1200)}`
  assert.deepEqual([verdict(nobody, target(`https://a.example.com${path}`)).refusal], [undefined])
  assert.equal(verdict(nobody, target(`https://a.example.com${path}secret`)).rule, 7)
})

/** Bytes that live on after a collection. */
function heapInUse(): number {
  v8.setFlagsFromString('--expose-gc')
  // The flag makes `gc` appear in contexts that are made from now on.
  const collect: () => void = vm.runInNewContext('gc')
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test('ten thousand rules below a wildcard are kept once, however many hosts are asked for', () => {
  const before = heapInUse()
  const { verdict } = access({
    rules: numbered(10_000, (i) => ({
      domain: ['*.example.com', '{user}.example.com'],
      policy: 'one_factor',
      resources: `^/proj${i}([/?].*)?$`,
    })),
  })
  const asked = (i: number) => target(`https://h${i.toString(36)}.example.com/proj${i % 100}/x`)
  assert.equal(verdict(john, asked(5)).rule, 5)
  const made = heapInUse()
  for (let i = 0; i < 20_000; i++) assert.equal(verdict(john, asked(i)).rule, i % 100)
  const kept = heapInUse() - made
  assert.ok(kept < 15_000_000, `${kept} bytes for hosts, ${made - before} for the rules`)
})
