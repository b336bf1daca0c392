import assert from 'node:assert/strict'
import { test } from 'node:test'
import { access, nobody, person, target } from './rules.ts'

const rules = access(
  {
    rules: [
      { title: 'Wiki', domain: 'wiki.example.com', policy: 'bypass', resources: ['^/public/'] },
      {
        domain: ['wiki.example.com', '{user}.example.com'],
        policy: 'deny',
        resources: ['^/admin'],
        methods: ['GET'],
        networks: ['home'],
        query: [[{ operator: 'absent', key: 'x' }]],
        subject: ['user:john', 'group:ops'],
      },
      { domain: '*.example.com', policy: 'one_factor' },
    ],
  },
  { home: ['10.0.0.0/8'] },
)

test('an explanation has every rule, criterion by criterion', () => {
  const asked = target('https://wiki.example.com/admin?x=1', { address: '10.0.0.1' })
  const { verdict, rules: explained } = rules.explain(person('mary'), asked)
  assert.deepEqual(
    explained.map(({ index, title, policy, verdict: answer }) => [index, title, policy, answer]),
    [
      [0, 'Wiki', 'bypass', 'miss'],
      [1, null, 'deny', 'miss'],
      [2, null, 'one_factor', 'hit'],
    ],
  )
  assert.deepEqual(explained[1]?.criteria, {
    domain: 'hit',
    resources: 'hit',
    query: 'miss',
    methods: 'hit',
    networks: 'hit',
    subject: 'miss',
  })
  assert.deepEqual(explained[2]?.criteria, {
    domain: 'hit',
    resources: 'absent',
    query: 'absent',
    methods: 'absent',
    networks: 'absent',
    subject: 'absent',
  })
  assert.equal(verdict.rule, 2)
})

test('what depends on who nobody is, may match', () => {
  const asked = target('https://anybody.example.com/admin', { address: '10.0.0.1' })
  const { verdict, rules: explained } = rules.explain(nobody, asked)
  assert.equal(explained[1]?.verdict, 'may')
  assert.equal(explained[1]?.criteria.domain, 'may')
  assert.equal(explained[1]?.criteria.subject, 'may')
  assert.equal(verdict.rule, 1)
  assert.equal(verdict.hasSubject, true)
})

test('every reading is there, with the rule that answered it, and which of them decided', () => {
  const explanation = rules.explain(
    person('mary'),
    target('https://wiki.example.com/public/../x?y'),
  )
  assert.deepEqual(explanation.askings, [
    { path: '/public/../x', query: 'y', pathAlone: false, rule: 0, policy: 'bypass' },
    { path: '/public/../x', query: 'y', pathAlone: true, rule: 0, policy: 'bypass' },
    { path: '/x', query: 'y', pathAlone: false, rule: 2, policy: 'one_factor' },
    { path: '/x', query: 'y', pathAlone: true, rule: 2, policy: 'one_factor' },
  ])
  assert.equal(explanation.deciding, 2)
  assert.equal(explanation.verdict.readings, 2)
  assert.equal(explanation.rules[0]?.criteria.resources, 'miss')
})

test('a refused path explains itself without asking anybody', () => {
  const {
    verdict,
    askings,
    deciding,
    rules: explained,
  } = rules.explain(nobody, target('https://wiki.example.com/%00'))
  assert.equal(verdict.refusal, 'control')
  assert.deepEqual([askings, deciding, explained], [[], -1, []])
})

test('an explanation is plain data', () => {
  const explanation = rules.explain(nobody, target('https://wiki.example.com/a//b?x'))
  const { verdict, ...rest } = explanation
  assert.deepEqual(JSON.parse(JSON.stringify(rest)), rest)
  assert.equal(JSON.parse(JSON.stringify(verdict)).policy, verdict.policy)
})

test('applications are the titled hosts that somebody may open as far as they have signed in', () => {
  const portal = access(
    {
      rules: [
        {
          title: 'Wiki',
          icon: '/wiki.svg',
          domain: ['wiki.example.com', '*.wiki.example.com'],
          policy: 'one_factor',
        },
        { title: 'Bank', domain: 'bank.example.com', policy: 'two_factor' },
        {
          title: 'Staff',
          domain: 'staff.example.com',
          policy: 'one_factor',
          subject: 'group:staff',
        },
        { title: 'Attic', domain: 'attic.example.com', policy: 'deny' },
        { title: 'Home', domain: 'home.example.com', policy: 'one_factor', networks: '10.0.0.0/8' },
        { title: 'Dev', domain: 'dev.localhost', policy: 'bypass' },
        { title: 'Router', domain: '[fd00::1]', policy: 'bypass' },
        { title: 'Wiki', domain: 'wiki.example.com', policy: 'one_factor' },
        { domain: 'untitled.example.com', policy: 'bypass' },
      ],
    },
    {},
  )
  const titles = (...args: Parameters<typeof portal.apps>) =>
    portal.apps(...args).map(({ title }) => title)
  assert.deepEqual(titles(person('john'), 1), ['Wiki', 'Dev', 'Router'])
  assert.deepEqual(titles(person('john', 'staff'), 1), ['Wiki', 'Staff', 'Dev', 'Router'])
  assert.deepEqual(titles(person('john'), 2, '10.1.1.1'), ['Wiki', 'Bank', 'Home', 'Dev', 'Router'])
  assert.deepEqual(titles(nobody, 0), ['Dev', 'Router'])
  assert.deepEqual(
    portal.apps(person('john'), 1).map(({ url, host, icon }) => [url, host, icon]),
    [
      ['https://wiki.example.com/', 'wiki.example.com', '/wiki.svg'],
      ['http://dev.localhost/', 'dev.localhost', undefined],
      ['https://[fd00::1]/', 'fd00::1', undefined],
    ],
  )
})
