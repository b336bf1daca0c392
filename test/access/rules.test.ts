import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Subject } from '../../src/features/access/index.ts'
import { access, nobody, person, target } from './rules.ts'

/** Policy of a one-rule set at a URL: `two_factor` where the rule matches, `deny` where not. */
function matches(rule: object, url: string, subject: Subject = person('john', 'dev')): boolean {
  const { verdict } = access({
    rules: [{ domain: '*.example.com', policy: 'two_factor', ...rule }],
  })
  return verdict(subject, target(url)).policy === 'two_factor'
}
/** The same for a rule about hosts. */
function covers(domain: string, host: string, subject?: Subject): boolean {
  return matches({ domain }, `https://${host}/`, subject)
}

test('an exact domain is one host, in whatever case, with a trailing dot or the default port', () => {
  for (const host of [
    'a.example.com',
    'A.Example.COM',
    'a.example.com.',
    'a.example.com:443',
    'a.example.com:8443',
  ])
    assert.ok(covers('a.example.com', host), host)
  for (const written of ['A.EXAMPLE.com', 'a.example.com.', 'a.example.com:443'])
    assert.ok(covers(written, 'a.example.com'), written)
  for (const host of ['example.com', 'b.a.example.com', 'xa.example.com', 'a.example.com.evil.org'])
    assert.ok(!covers('a.example.com', host), host)
})

test('an international domain is its ASCII form', () => {
  assert.ok(covers('bücher.example', 'xn--bcher-kva.example'))
  assert.ok(covers('*.bücher.example', 'a.BÜCHER.example'))
  assert.ok(covers('{user}.bücher.example', 'john.xn--bcher-kva.example'))
})

test('an address is a host like another', () => {
  assert.ok(covers('192.168.1.8', '192.168.1.8'))
  assert.ok(covers('[::1]', '[0:0:0:0:0:0:0:1]'))
  assert.ok(covers('::1', '[::1]'))
})

test('a wildcard is any depth below a domain, and not the domain', () => {
  assert.ok(covers('*.example.com', 'a.example.com'))
  assert.ok(covers('*.example.com', 'c.b.a.example.com'))
  assert.ok(covers('*.Example.com', 'a.example.com'))
  assert.ok(!covers('*.example.com', 'example.com'))
  assert.ok(!covers('*.example.com', 'aexample.com'))
  assert.ok(!covers('*example.com', 'aexample.com'))
})

test('{user} is the name of whoever asks, and the rest of the label may follow', () => {
  assert.ok(covers('{user}.example.com', 'john.example.com'))
  assert.ok(covers('{user}-app.example.com', 'john-app.example.com'))
  assert.ok(covers('{user}.example.com', 'john.doe.example.com', person('john.doe')))
  assert.ok(covers('{user}.example.com', 'john.example.com', person('John')))
  assert.ok(!covers('{user}.example.com', 'mary.example.com'))
  assert.ok(!covers('{user}.example.com', 'x.john.example.com'))
  assert.ok(!covers('{user}.example.com', 'dev.example.com'))
})

test('{group} is the first label, and one of the groups', () => {
  assert.ok(covers('{group}.example.com', 'dev.example.com'))
  assert.ok(covers('{group}.example.com', 'dev.example.com', person('john', 'Dev')))
  assert.ok(!covers('{group}.example.com', 'x.dev.example.com'))
  assert.ok(!covers('{group}.example.com', 'x.dev.example.com', person('john', 'x.dev')))
  assert.ok(!covers('{group}.example.com', 'ops.example.com'))
})

test('nobody meets every placeholder whose fixed part fits, when something stands in front', () => {
  assert.ok(covers('{user}.example.com', 'anything.example.com', nobody))
  assert.ok(covers('{group}.example.com', 'a.b.example.com', nobody))
  assert.ok(!covers('{user}.example.com', 'example.com', nobody))
  assert.ok(!covers('{user}example.com', 'example.com', nobody))
  assert.ok(!covers('{user}.example.com', 'a.example.org', nobody))
})

test('who has no name is not met by a placeholder that nothing fills', () => {
  const client: Subject = { user: '', groups: [], clientId: 'app' }
  assert.ok(!covers('{user}example.com', 'example.com', client))
  assert.ok(
    !matches(
      { domain: undefined, domain_regex: '^(?P<User>[a-z]*)\\.?a\\.example' },
      'https://a.example.com/',
      client,
    ),
  )
})

test('a name is equal whatever its case, but not to a look-alike that folds to it in one direction', () => {
  const kelvin = person('\u212Aim', 'long\u017F')
  assert.ok(!covers('{user}.example.com', 'kim.example.com', kelvin))
  assert.ok(!covers('{group}.example.com', 'longs.example.com', kelvin))
  assert.ok(covers('{user}.example.com', 'kim.example.com', person('KIM')))
})

test('domain_regex looks for its pattern in the lower-case host', () => {
  const rule = { domain: undefined, domain_regex: ['^x$', 'app[0-9]+\\.'] }
  assert.ok(matches(rule, 'https://APP12.Example.com/'))
  assert.ok(!matches({ domain: undefined, domain_regex: 'APP' }, 'https://APP12.example.com/'))
  assert.ok(!matches(rule, 'https://app.example.com/'))
})

test('groups named User and Group compare with who asks, in both spellings', () => {
  for (const open of ['(?P<', '(?<']) {
    const user = { domain: undefined, domain_regex: `^${open}User>\\w+)\\.example\\.com$` }
    assert.ok(matches(user, 'https://JOHN.example.com/'))
    assert.ok(!matches(user, 'https://mary.example.com/'))
    assert.ok(matches(user, 'https://mary.example.com/', nobody))
    const group = { resources: `^/${open}Group>\\w+)/` }
    assert.ok(matches(group, 'https://a.example.com/DEV/x'))
    assert.ok(!matches(group, 'https://a.example.com/ops/x'))
    assert.ok(matches(group, 'https://a.example.com/ops/x', nobody))
    assert.ok(!matches(group, 'https://a.example.com/', nobody))
  }
})

test('User and Group in one pattern must both fit; a group that took no part fits nobody', () => {
  const both = { resources: '^/(?P<User>\\w+)/(?P<Group>\\w+)$' }
  assert.ok(matches(both, 'https://a.example.com/john/dev'))
  assert.ok(!matches(both, 'https://a.example.com/john/ops'))
  assert.ok(!matches(both, 'https://a.example.com/mary/dev'))
  assert.ok(!matches({ resources: '^/open|^/(?P<User>\\w+)/mine' }, 'https://a.example.com/open'))
})

test('subjects: any of the list, all of a list within it, names by the letter', () => {
  const rule = { subject: [['group:dev', 'group:ops'], 'user:mary'] }
  const at = 'https://a.example.com/'
  assert.ok(matches(rule, at, person('john', 'dev', 'ops')))
  assert.ok(!matches(rule, at, person('john', 'dev')))
  assert.ok(matches(rule, at, person('mary')))
  assert.ok(!matches(rule, at, person('Mary')))
  assert.ok(matches(rule, at, nobody))
  assert.ok(!matches({ subject: 'user:x' }, at, { user: '', groups: [], clientId: 'x' }))
  assert.ok(matches({ subject: 'oauth2:client:x' }, at, { user: '', groups: [], clientId: 'x' }))
})

test('networks are addresses, CIDR and names; v4 in v6 clothes is v4; who has no address matches none', () => {
  const networks = { home: ['10.0.0.0/8', 'fd00::/8'], office: ['192.0.2.1'] }
  const policyFrom = (address: string, networksOfRule: string[]) =>
    access(
      { rules: [{ domain: 'a.example.com', policy: 'one_factor', networks: networksOfRule }] },
      networks,
    ).verdict(nobody, target('https://a.example.com/', { address })).policy
  for (const address of ['10.1.2.3', 'fd00::1', '::ffff:10.1.2.3', '192.0.2.1', '198.51.100.7'])
    assert.equal(policyFrom(address, ['home', 'office', '198.51.100.0/24']), 'one_factor', address)
  for (const address of ['11.0.0.1', 'fe80::1', '', 'unknown', '10.1.2.3:80', '192.0.2.2'])
    assert.equal(policyFrom(address, ['home', 'office', '198.51.100.0/24']), 'deny', address)
  assert.equal(policyFrom('10.1.2.3', ['constructor', 'nowhere']), 'deny')
})

test('methods are compared by the letter, and HEAD is not GET', () => {
  const { verdict } = access({
    rules: [{ domain: 'a.example.com', policy: 'one_factor', methods: ['get', 'PROPFIND'] }],
  })
  const policy = (method: string) =>
    verdict(nobody, target('https://a.example.com/', { method })).policy
  assert.deepEqual(['GET', 'PROPFIND', 'HEAD', 'POST', 'OPTIONS'].map(policy), [
    'one_factor',
    'one_factor',
    'deny',
    'deny',
    'deny',
  ])
})

test('conditions on the query: the first value counts, read as a form is', () => {
  const at = (query: string) => `https://a.example.com/?${query}`
  const equal = { query: [[{ key: 'q', value: 'a b' }]] }
  for (const query of ['q=a+b', 'q=a%20b', '%71=a+b', 'x=1&q=a+b', 'q=a+b&q=c', '&&q=a+b'])
    assert.ok(matches(equal, at(query)), query)
  for (const query of ['q=c&q=a+b', 'Q=a+b', 'q', '', 'q=a+b+', 'q%00=a+b'])
    assert.ok(!matches(equal, at(query)), query)
  assert.ok(matches({ query: [[{ key: 'q' }]] }, at('q')))
  assert.ok(!matches({ query: [[{ key: 'q' }]] }, 'https://a.example.com/q'))
  assert.ok(matches({ query: [[{ operator: 'absent', key: 'q' }]] }, 'https://a.example.com/'))
  assert.ok(matches({ query: [[{ operator: 'not equal', key: 'q', value: '1' }]] }, at('x')))
  assert.ok(matches({ query: [[{ operator: 'pattern', key: 'q', value: '^$' }]] }, at('x')))
  assert.ok(!matches({ query: [[{ operator: 'not pattern', key: 'q', value: '^a' }]] }, at('q=ab')))
  assert.ok(matches({ query: [[{ key: 'n', value: 5 }]] }, at('n=5')))
})

test('a query neither opens nor closes a door', () => {
  // Advisory 6: the pattern is about a path; the query put it there
  const open = access({
    rules: [
      { domain: 'a.example.com', policy: 'bypass', resources: '^/api/.*/status$' },
      { domain: 'a.example.com', policy: 'two_factor' },
    ],
  })
  const policy = (rules: ReturnType<typeof access>, url: string) =>
    rules.verdict(nobody, target(url)).policy
  assert.equal(policy(open, 'https://a.example.com/api/x/status'), 'bypass')
  assert.equal(policy(open, 'https://a.example.com/api/private?x=/status'), 'two_factor')
  const shut = access({
    rules: [
      { domain: 'a.example.com', policy: 'deny', resources: '^/admin$' },
      { domain: 'a.example.com', policy: 'bypass' },
    ],
  })
  assert.equal(policy(shut, 'https://a.example.com/admin'), 'deny')
  assert.equal(policy(shut, 'https://a.example.com/admin?x'), 'deny')
  assert.equal(policy(shut, 'https://a.example.com/admin?'), 'deny')
})

test('a pattern that names a question mark is about the query, and sees it', () => {
  const rules = access({
    rules: [
      {
        domain: 'a.example.com',
        policy: 'bypass',
        resources: ['^/feed\\?token=\\w+$', '^/x[?]y$'],
      },
      { domain: 'a.example.com', policy: 'one_factor' },
    ],
  })
  const policy = (path: string) =>
    rules.verdict(nobody, target(`https://a.example.com${path}`)).policy
  assert.equal(policy('/feed?token=abc'), 'bypass')
  assert.equal(policy('/x?y'), 'bypass')
  assert.equal(policy('/feed'), 'one_factor')
  assert.equal(policy('/feed?token=abc&x'), 'one_factor')
})

test('of two equally strict answers, the one that asks nobody who they are holds', () => {
  const rules = access({
    rules: [
      { domain: 'a.example.com', policy: 'deny', resources: '^/a$', subject: 'user:x' },
      { domain: 'a.example.com', policy: 'deny', resources: '^/a/' },
      { domain: 'a.example.com', policy: 'bypass' },
    ],
  })
  const { rule, hasSubject, readings } = rules.verdict(nobody, target('https://a.example.com/a/.'))
  assert.equal(rule, 1)
  assert.equal(hasSubject, false)
  assert.ok(readings > 1)
})

test('a fragment is no part of the query, and one in the path leaves none', () => {
  const rules = access({
    rules: [
      { domain: 'a.example.com', policy: 'bypass', query: [[{ key: 'public' }]] },
      { domain: 'a.example.com', policy: 'two_factor' },
    ],
  })
  const policy = (path: string) =>
    rules.verdict(nobody, target(`https://a.example.com${path}`)).policy
  assert.equal(policy('/?public'), 'bypass')
  assert.equal(policy('/?x#&public'), 'two_factor')
  assert.equal(policy('/#?public'), 'two_factor')
})

test('what a policy means depends on how far somebody has signed in, and on whether the rule asks who they are', () => {
  const rules = access({
    default_policy: 'one_factor',
    rules: [
      { domain: 'open.example.com', policy: 'bypass' },
      { domain: 'one.example.com', policy: 'one_factor' },
      { domain: 'two.example.com', policy: 'two_factor' },
      { domain: 'shut.example.com', policy: 'deny' },
      { domain: 'theirs.example.com', policy: 'deny', subject: 'user:john' },
      { domain: '{user}.home.example.com', policy: 'deny' },
    ],
  })
  const outcomes = (host: string) =>
    ([0, 1, 2] as const).map((level) => {
      const decision = rules.decide(
        level === 0 ? nobody : person('john'),
        level,
        target(`https://${host}/`),
      )
      return decision.kind === 'step-up' ? `step-up ${decision.need}` : decision.kind
    })
  assert.deepEqual(outcomes('open.example.com'), ['allow', 'allow', 'allow'])
  assert.deepEqual(outcomes('one.example.com'), ['step-up 1', 'allow', 'allow'])
  assert.deepEqual(outcomes('two.example.com'), ['step-up 2', 'step-up 2', 'allow'])
  assert.deepEqual(outcomes('shut.example.com'), ['deny', 'deny', 'deny'])
  assert.deepEqual(outcomes('theirs.example.com'), ['step-up 1', 'deny', 'deny'])
  assert.deepEqual(outcomes('john.home.example.com'), ['step-up 1', 'deny', 'deny'])
  assert.deepEqual(outcomes('other.example.com'), ['step-up 1', 'allow', 'allow'])
})

test('a refused path is denied whatever the rules say, and the verdict says why', () => {
  const rules = access({
    default_policy: 'bypass',
    rules: [{ domain: '*.example.com', policy: 'bypass' }],
  })
  for (const [path, refusal] of [
    ['/%00', 'control'],
    ['/%zz', 'malformed'],
    ['/%252525252e', 'rounds'],
    [`/${'a;b\\c/../%252e//%23'.repeat(3)}`, 'readings'],
  ] as const) {
    const asked = target(`https://a.example.com${path}`)
    assert.deepEqual(rules.verdict(nobody, asked), {
      policy: 'deny',
      rule: undefined,
      hasSubject: false,
      readings: 0,
      refusal,
    })
    assert.equal(rules.decide(nobody, 0, asked).kind, 'deny')
    assert.equal(rules.decide(person('john'), 2, asked).kind, 'deny')
  }
})

// The portal asked without this rule, and refused what verify let through.
test('what the rules let everybody do, signing in does not take away', () => {
  const rules = access({
    default_policy: 'deny',
    rules: [
      { domain: 'files.example.com', policy: 'bypass', resources: '^/~(?P<User>[^/]+)/public/' },
      { domain: 'files.example.com', policy: 'two_factor' },
    ],
  })
  const open = target('https://files.example.com/~jane/public/x')
  for (const [who, level] of [
    [nobody, 0],
    [person('jane'), 1],
    [person('john'), 1],
    [person('john'), 2],
  ] as const)
    assert.equal(rules.decide(who, level, open).kind, 'allow', `${who.user} ${level}`)
  const shut = target('https://files.example.com/~jane/private')
  assert.equal(rules.decide(person('john'), 1, shut).kind, 'step-up')
})
