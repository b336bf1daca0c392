import assert from 'node:assert/strict'
import { test } from 'node:test'
import v8 from 'node:v8'
import vm from 'node:vm'
import { createFixtureAccess, rulesFixture } from '../../bench/rules.ts'
import { createAccess } from '../../src/features/access/index.ts'
import { nanoseconds } from './nanoseconds.ts'
import { access, control, nobody, person, target } from './rules.ts'

const john = person('john', 'staff')

test('a decision among 10,000 rules costs about what one among 10 does', () => {
  const cost = (count: number): number => {
    const rules = createFixtureAccess(count)
    const targets = rulesFixture(count).hosts.map((host) => target(`https://${host}/api/v1/x`))
    let next = 0
    return nanoseconds(() => {
      const one = targets[next++ % targets.length]
      if (one !== undefined) rules.decide(john, 1, one)
    }, 30_000)
  }
  const [ten, thousands] = [cost(10), cost(10_000)]
  // A walk through the rules would cost a thousand times as much
  assert.ok(thousands < ten * 20, `${thousands} ns against ${ten} ns`)
})

/** Bytes that live on after a collection. */
function heapInUse(): number {
  v8.setFlagsFromString('--expose-gc')
  // The flag makes `gc` appear in contexts that are made from now on.
  const collect: () => void = vm.runInNewContext('gc')
  collect()
  return process.memoryUsage().heapUsed
}

test('a flood of hosts never seen before neither fills the memory nor pushes out what is known', () => {
  const rules = createFixtureAccess(1000)
  const known = target('https://app7.example.com/')
  const before = rules.verdict(john, known)
  const heap = heapInUse()
  for (let i = 0; i < 100_000; i++) {
    const { policy } = rules.verdict(john, {
      ...known,
      host: `h${i.toString(36)}.zone3.example.com`,
      path: i % 2 === 0 ? '/admin' : '/',
    })
    assert.equal(policy, i % 2 === 0 ? 'two_factor' : 'one_factor')
  }
  assert.deepEqual(rules.verdict(john, known), before)
  // 8,192 of them are a few megabytes, 100,000 would be over thirty
  const kept = heapInUse() - heap
  assert.ok(kept < 10_000_000, `${kept} bytes`)
})

test('a host that is not canonical does not slip past the rule that is about it', () => {
  const { verdict } = access({
    rules: [
      { domain: 'admin.example.com', policy: 'deny' },
      { domain: '*.example.com', policy: 'bypass' },
    ],
  })
  for (const host of ['admin.example.com', 'ADMIN.example.com', 'admin.example.com.'])
    assert.equal(
      verdict(nobody, { ...target('https://x.example.com/'), host }).policy,
      'deny',
      host,
    )
})

test('rules keep their order whichever way a host finds them', () => {
  const { verdict } = access({
    rules: [
      { domain_regex: '^b', policy: 'deny' },
      { domain: ['*.example.com'], policy: 'two_factor', resources: '^/two' },
      {
        domain: ['a.example.com', '{user}.example.com'],
        policy: 'one_factor',
        resources: '^/[to]',
      },
      { domain: '*.com', policy: 'bypass' },
    ],
  })
  const rule = (url: string) => verdict(john, target(url)).rule
  assert.equal(rule('https://b.example.com/'), 0)
  assert.equal(rule('https://a.example.com/two'), 1)
  assert.equal(rule('https://a.example.com/one'), 2)
  assert.equal(rule('https://john.example.com/one'), 2)
  assert.equal(rule('https://mary.example.com/one'), 3)
  assert.equal(rule('https://a.example.com/'), 3)
  assert.equal(rule('https://example.org/'), undefined)
})

test('a rule about no host is about every host', () => {
  const rules = createAccess(
    { default_policy: 'deny', rules: [{ policy: 'one_factor', methods: ['GET'] }] },
    {},
  )
  assert.equal(rules.verdict(nobody, target('https://any.example.org/')).policy, 'one_factor')
})

test('two factors are needed when some rule or the default says so', () => {
  const needs = (written: unknown) => createAccess(control(written), {}).needsTwoFactor
  assert.equal(needs({ default_policy: 'one_factor' }), false)
  assert.equal(needs({ default_policy: 'two_factor' }), true)
  assert.equal(needs({ rules: [{ domain: 'a', policy: 'two_factor' }] }), true)
})
