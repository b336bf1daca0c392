import assert from 'node:assert/strict'
import { test } from 'node:test'
import manifest, { AccessControl } from '../../src/features/access/manifest.ts'
import type { ConfigPath } from '../../src/kernel/feature.ts'

/** What the schema says about a rule set: path, sentence and hint of each fault. */
function faults(written: unknown): string[] {
  const parsed = AccessControl.safeParse(written)
  if (parsed.success) return []
  return parsed.error.issues.map((issue) => {
    const hint = issue.code === 'custom' ? issue.params?.['allowed'] : undefined
    return `${issue.path.join('.')}: ${issue.message}${hint === undefined ? '' : ` (${hint})`}`
  })
}

const rule = (more: object) => ({
  rules: [{ domain: 'a.example.com', policy: 'one_factor', ...more }],
})

interface Said {
  readonly faults: string[]
  readonly warnings: string[]
}

/** What the check says once everything is parsed. */
function check(written: unknown, network: Record<string, string[]> = {}, explicit = true): Said {
  const said: Said = { faults: [], warnings: [] }
  const at = (path: ConfigPath) => path.slice(1).join('.')
  manifest.check(
    { access_control: AccessControl.parse(written), definitions: { network } },
    {
      fault: (path, message, hint) => said.faults.push(`${at(path)}: ${message} (${hint})`),
      warn: (path, message) => said.warnings.push(`${at(path)}: ${message}`),
    },
    () => explicit,
  )
  return said
}

test("Authelia's forms are all read as lists", () => {
  const { default_policy, rules } = AccessControl.parse({
    rules: [
      {
        domain: 'a.example.com',
        domain_regex: '^b',
        networks: '10.0.0.0/8',
        resources: '^/$',
        methods: 'get',
        subject: 'user:john',
        query: [
          [
            { key: 'n', value: 5 },
            { operator: 'absent', key: 'x' },
          ],
        ],
        policy: 'one_factor',
      },
      {
        domain: ['a', 'b'],
        subject: ['user:john', 'group:x'],
        methods: ['Get', 'POST'],
        policy: 'deny',
      },
      { domain: 'a', subject: [['user:john', 'group:x'], 'oauth2:client:y'], policy: 'two_factor' },
    ],
  })
  assert.equal(default_policy, 'deny')
  assert.deepEqual(rules, [
    {
      domain: ['a.example.com'],
      domain_regex: ['^b'],
      networks: ['10.0.0.0/8'],
      resources: ['^/$'],
      methods: ['GET'],
      subject: [['user:john']],
      query: [
        [
          { key: 'n', value: '5' },
          { operator: 'absent', key: 'x' },
        ],
      ],
      policy: 'one_factor',
    },
    {
      domain: ['a', 'b'],
      subject: [['user:john'], ['group:x']],
      methods: ['GET', 'POST'],
      policy: 'deny',
    },
    {
      domain: ['a'],
      subject: [['user:john', 'group:x'], ['oauth2:client:y']],
      policy: 'two_factor',
    },
  ])
})

test('a rule about no host is refused, with an example of a host', () => {
  const [fault] = faults({ rules: [{ policy: 'one_factor' }] })
  assert.match(fault ?? '', /^rules\.0\.domain: is missing.*\(a host, such as 'app\.example\.com'/)
  assert.deepEqual(faults({ rules: [{ domain_regex: '^a', policy: 'deny' }] }), [])
})

test('a policy that is none is refused, wherever it stands', () => {
  assert.match(faults(rule({ policy: 'two-factor' }))[0] ?? '', /^rules\.0\.policy: .*"two_factor"/)
  assert.match(faults({ default_policy: 'allow' })[0] ?? '', /^default_policy: .*"one_factor"/)
  assert.match(faults({ rules: [{ domain: 'a' }] })[0] ?? '', /^rules\.0\.policy: /)
})

test('a method that is none, or is there twice, is refused', () => {
  assert.equal(faults(rule({ methods: ['GET', 'FETCH'] })).length, 1)
  assert.deepEqual(faults(rule({ methods: ['GET', 'POST', 'get'] })), [
    'rules.0.methods.2: names GET a second time (each method once)',
  ])
})

test('a subject without a known prefix is refused', () => {
  for (const subject of ['john', 'users:john', 'user:', 'client:x', 'oauth2:x'])
    assert.equal(faults(rule({ subject })).length, 1, subject)
  assert.equal(faults(rule({ subject: [['user:john', 'nobody']] })).length, 1)
})

test('bypass cannot ask who somebody is', () => {
  const bypass = { policy: 'bypass' }
  for (const [more, at] of [
    [{ subject: 'group:x' }, 'subject'],
    [{ domain: ['a.example.com', '{user}.example.com'] }, 'domain'],
    [{ domain: '{group}.example.com' }, 'domain'],
    [{ domain_regex: '^(?P<User>\\w+)\\.' }, 'domain_regex'],
    [{ domain_regex: '^(?<Group>\\w+)\\.' }, 'domain_regex'],
  ] as const) {
    const [fault] = faults(rule({ ...bypass, ...more }))
    assert.match(
      fault ?? '',
      new RegExp(`^rules\\.0\\.${at}: depends on who the user is.*\\(.+\\)`),
    )
  }
  assert.deepEqual(faults(rule({ ...bypass, domain_regex: '^(?P<Name>\\w+)\\.' })), [])
})

test('bypass with such a group in resources lets everybody in: Authelia takes it, so it is a warning', () => {
  const { faults: none, warnings } = check(
    rule({ policy: 'bypass', resources: ['^/a', '^/(?P<User>\\w+)'] }),
  )
  assert.deepEqual(none, [])
  assert.match(warnings[0] ?? '', /^rules\.0\.resources\.1: .*everybody is let in/)
})

test('a pattern that RE2 refuses is refused with reason and place', () => {
  for (const more of [
    { resources: ['^/a$', '^/(?!admin)'] },
    { domain_regex: ['^/(?!admin)'] },
    { query: [[{ operator: 'pattern', key: 'x', value: '^/(?!admin)' }]] },
  ]) {
    const [fault, second] = faults(rule(more))
    assert.match(fault ?? '', /unsupported Perl syntax, at character 3 \(RE2 syntax/)
    assert.equal(second, undefined)
  }
})

test('a condition on the query says what it compares', () => {
  const condition = (one: object) => faults(rule({ query: [[one]] }))
  assert.match(condition({ operator: 'equal', key: 'x' })[0] ?? '', /value: is missing/)
  assert.match(
    condition({ operator: 'absent', key: 'x', value: '1' })[0] ?? '',
    /no meaning with `absent`/,
  )
  assert.equal(condition({ operator: 'equals', key: 'x', value: '1' }).length, 1)
  assert.equal(condition({ value: '1' }).length, 1)
  assert.deepEqual(condition({ key: 'x', value: true }), [])
})

test('an empty list would ask nothing, and is refused', () => {
  for (const more of [
    { networks: [] },
    { methods: [] },
    { resources: [] },
    { subject: [] },
    { subject: [[]] },
    { query: [] },
    { query: [[]] },
    { domain: [] },
  ])
    assert.equal(faults(rule(more)).length, 1, JSON.stringify(more))
})

test('an unknown key is refused', () => {
  assert.equal(faults(rule({ ressources: ['^/'] })).length, 1)
})

test('a network is an address, a CIDR or a defined name', () => {
  const networks = ['10.0.0.0/8', '::1', 'home', 'hone', '10.0.0.0/33']
  const { faults: found } = check(rule({ networks }), { home: ['192.168.0.0/16'] })
  assert.deepEqual(found, [
    'rules.0.networks.3: is no network and no name of one (an address, a CIDR, home)',
    'rules.0.networks.4: is no network and no name of one (an address, a CIDR, home)',
  ])
})

test('no rules is refused where nobody or everybody could open everything, else it is a warning', () => {
  assert.match(check({}).faults[0] ?? '', /^rules: is empty while default_policy is deny/)
  assert.match(check({ default_policy: 'bypass' }).faults[0] ?? '', /default_policy is bypass/)
  const one = check({ default_policy: 'one_factor' })
  assert.deepEqual(one.faults, [])
  assert.match(one.warnings[0] ?? '', /^rules: is empty: one_factor holds everywhere/)
  const unwritten = check({ default_policy: 'one_factor' }, {}, false)
  assert.deepEqual(unwritten, { faults: [], warnings: [] })
})

test('a domain that no host can match is a warning', () => {
  const domain = [
    'a.example.com',
    '*.example.com',
    '{user}.example.com',
    '{group}-x.example.com',
    '::1',
    '[::1]',
    '*example.com',
    'a.*.example.com',
    'x-{user}.example.com',
    'a.example.com:8080',
    'https://a.example.com',
  ]
  const { faults: none, warnings } = check(rule({ domain }))
  assert.deepEqual(none, [])
  assert.deepEqual(
    warnings.map((text) => text.slice(0, text.indexOf(':'))),
    [6, 7, 8, 9, 10].map((index) => `rules.0.domain.${index}`),
  )
  assert.match(warnings[0] ?? '', /\*\.example\.com$/)
})
