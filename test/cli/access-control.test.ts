import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runCli, temporaryDirectory } from '../support/cli.ts'

const CONFIG = `
session:
  cookies: [{ domain: example.com, portal_url: https://auth.example.com }]
authentication_backend:
  file: { path: users.yml }
access_control:
  default_policy: deny
  rules:
    - domain: public.example.com
      policy: bypass
    - domain: app.example.com
      resources: ['^/admin']
      subject: group:admins
      policy: two_factor
    - domain: app.example.com
      networks: [192.0.2.0/24]
      methods: [GET]
      policy: one_factor
      title: The app
`

async function check(t: TestContext, ...argv: string[]) {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), CONFIG)
  return runCli(t, ['access-control', 'check', ...argv], { cwd })
}

const APP = ['--url', 'https://app.example.com/', '--user', 'john', '--ip', '192.0.2.7']

test('every rule gives its verdict criterion by criterion, and the one that decides is marked', async (t) => {
  const { status, out, err } = await check(t, ...APP)
  assert.deepEqual([status, err], [0, ''])
  const [head, ...rules] = out.split('\n').map((line) => line.replace(/ {2,}/g, '|'))
  assert.equal(head, '|RULE|POLICY|DOMAIN|RESOURCES|QUERY|METHODS|NETWORKS|SUBJECT')
  assert.deepEqual(rules.slice(0, 3), [
    '|rules[0]|bypass|miss|-|-|-|-|-',
    '|rules[1]|two_factor|hit|miss|-|-|-|miss',
    '*|rules[2] The app|one_factor|hit|-|-|hit|hit|-',
  ])
  assert.match(out, /^rules\[2\] \(one_factor\) decides\.$/m)
  assert.match(out, /^Signed in with one factor: allowed\.$/m)
})

test('who asks, from where and how makes the difference', async (t) => {
  const admin = ['--url', 'https://app.example.com/admin']
  const cases: readonly (readonly [string[], RegExp])[] = [
    [[...APP, '--method', 'post'], /default policy \(deny\) decides\.\n.*one factor: forbidden/],
    [['--url', 'https://app.example.com/', '--user', 'john'], /default policy \(deny\) decides/],
    [
      [...admin, '--username', 'john', '--groups', 'dev,admins'],
      /^rules\[1\][\s\S]*one factor: asked for two factors\.[\s\S]*two factors: allowed/m,
    ],
    [
      [...admin, '--user', 'john', '--groups', 'dev'],
      /one factor: forbidden\.[\s\S]*two factors: forbidden/,
    ],
    [['--url', 'https://public.example.com/x'], /^Not signed in: allowed\.$/m],
    [['--url', 'https://public.example.com/x', '--user', 'john'], /one factor: allowed/],
  ]
  for (const [argv, sentence] of cases) {
    const { status, out } = await check(t, ...argv)
    assert.equal(status, 0)
    assert.match(out, sentence, argv.join(' '))
  }
})

test('for somebody who has not signed in, a rule about people is only a possibility', async (t) => {
  const { out } = await check(t, '--url', 'https://app.example.com/admin', '--ip', '192.0.2.7')
  assert.match(out, /^~ +rules\[1\]/m)
  assert.match(out, /^\* +rules\[2\]/m)
  assert.match(
    out,
    /rules\[1\] \(two_factor\) decides for those it is about, once they have signed in/,
  )
  assert.match(out, /rules\[2\] \(one_factor\) decides for everybody else/)
  assert.match(out, /Not signed in: asked/)
})

test('a path that can be read in several ways is answered with all of them', async (t) => {
  const argv = [
    '--url',
    'https://app.example.com/x/..%2fadmin',
    '--user',
    'j',
    '--groups',
    'admins',
    '--ip',
    '192.0.2.7',
  ]
  const { out } = await check(t, ...argv, '--verbose')
  assert.match(out, /can be read as .*; the strictest answer counts/)
  assert.match(out, /^\* +\/admin +rules\[1\] +two_factor$/m)
})

test('the answer comes as JSON too', async (t) => {
  const answer = JSON.parse((await check(t, ...APP, '--groups', 'dev', '--json')).out)
  assert.deepEqual(answer.decisions, { one_factor: 'allow', two_factor: 'allow' })
  assert.deepEqual(answer.subject, { user: 'john', groups: ['dev'], clientId: '' })
  assert.equal(answer.verdict.rule, 2)
  assert.equal(answer.rules.length, 3)
})

test('what no proxy could ask is refused, and so is half a question', async (t) => {
  const cases: readonly (readonly [string[], RegExp])[] = [
    [['--url', 'app.example.com'], /not absolute.*no rule would be asked/],
    [['--url', 'http://app.example.com/'], /plain http/],
    [['--url', 'https://app.example.com/', '--ip', 'here'], /no IP address/],
    [
      ['--url', 'https://app.example.com/', '--user', 'a', '--username', 'b'],
      /two different users/,
    ],
    [[], /required option '--url <url>' not specified/],
  ]
  for (const [argv, sentence] of cases) {
    const { status, out, err } = await check(t, ...argv)
    assert.deepEqual([status, out], [1, ''])
    assert.match(err, sentence)
  }
})

test('check-policy is another name for check, and a faulty configuration decides nothing', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), CONFIG)
  const argv = ['access-control', 'check-policy', '--url', 'https://public.example.com/']
  assert.match((await runCli(t, argv, { cwd })).out, /rules\[0\] \(bypass\) decides/)
  writeFileSync(join(cwd, 'config.yml'), CONFIG.replace('bypass', 'bypas'))
  const { status, out, err } = await runCli(t, argv, { cwd })
  assert.deepEqual([status, out], [1, ''])
  assert.match(err, /config\.yml:\d+:\d+ access_control\.rules\[0\]\.policy/)
})

test('a host that no cookie domain covers is said to be refused, whatever the rules say', async (t) => {
  const elsewhere = ['--url', 'https://app.example.org/', '--user', 'john']
  const { status, out } = await check(t, ...elsewhere)
  assert.equal(status, 0)
  assert.match(out, /^But no cookie domain covers app\.example\.org: .* 400, .*config\.yml\.$/m)
  assert.doesNotMatch((await check(t, ...APP)).out, /no cookie domain/)
  assert.equal(JSON.parse((await check(t, ...elsewhere, '--json')).out).covered, false)
  assert.equal(JSON.parse((await check(t, ...APP, '--json')).out).covered, true)
})

const DIGEST = `$6$rounds=1000$abcdefgh$${'x'.repeat(85)}.`
const USERS = `users:
  alice: {displayname: Alice, password: '${DIGEST}', email: alice@example.com, groups: [admins, "o'team"]}
  bob: {displayname: Bob, password: '${DIGEST}'}
`

test('without --groups those of the users file are looked up, and said', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), CONFIG)
  const admin = ['--url', 'https://app.example.com/admin']
  const ask = (...argv: string[]) =>
    runCli(t, ['access-control', 'check', ...admin, ...argv], { cwd })
  const none = await ask('--user', 'alice')
  assert.match(none.out, /^There is no users file to look up the groups of alice in\.$/m)
  writeFileSync(join(cwd, 'users.yml'), USERS)
  const alice = await ask('--user', 'alice')
  assert.match(alice.out, /^Groups of alice, from the users file: admins, o'team\.$/m)
  assert.match(alice.out, /^rules\[1\] \(two_factor\) decides\.$/m)
  const json = await ask('--user', 'alice', '--json')
  assert.deepEqual(JSON.parse(json.out).subject.groups, ['admins', "o'team"])
  assert.match((await ask('--user', 'bob')).out, /^Groups of bob, from the users file: none\.$/m)
  assert.match((await ask('--user', 'eve')).out, /^eve is not in the users file\.$/m)
  // What was said counts; whoever has not signed in has no groups.
  const said = await ask('--user', 'alice', '--groups', 'dev')
  assert.doesNotMatch(said.out, /users file|rules\[1\] \(two_factor\) decides/)
  assert.doesNotMatch((await ask()).out, /users file/)
})
