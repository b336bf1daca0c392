import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { createAccess } from '../../src/features/access/index.ts'
import accessManifest from '../../src/features/access/manifest.ts'
import { createFlowPages } from '../../src/features/login/flow-pages.ts'
import {
  contributeSteps,
  createJudge,
  createRendering,
  type Interactions,
  type StepContributor,
} from '../../src/features/portal/index.ts'
import { createIcons } from '../../src/http/icons.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openScene } from '../portal/scene.ts'

const BANK = 'https://bank.example.com/x'
const WIKI = 'https://wiki.example.com/'

/** The portal's first page, where bank.example.com asks for two factors and wiki.example.com for one. */
async function openPortal(
  t: TestContext,
  contributors: readonly StepContributor[],
  interactions?: Interactions,
) {
  const scene = await openScene(t)
  const { house, messages, replies } = scene
  const control = accessManifest.config.access_control.parse({
    default_policy: 'deny',
    rules: [
      { domain: 'bank.example.com', policy: 'two_factor' },
      { domain: 'wiki.example.com', policy: 'one_factor' },
    ],
  })
  const access = createAccess(control, {})
  const pages = createFlowPages(
    {
      ...createRendering({ messages, replies }),
      ...{ access, replies, contributors, clock: house.clock, hub: undefined, base: '' },
      judge: createJudge({ access, sessions: house.sessions, interactions }),
      defaultRedirection: () => undefined,
      icons: createIcons(pino({ level: 'silent' })),
      pages: [],
      webauthn: { hasPasskeys: false },
      adminGroups: [],
      hasAdmin: false,
      forgotten: undefined,
    },
    [],
  )
  scene.app.get('/', { config: { guard: 'public' } }, pages.portal)
  const { value } = await house.signIn('john')
  return { ...scene, value, open: (query: string) => scene.get(`/${query}`, value) }
}

const to = (target: string): string => `?rd=${encodeURIComponent(target)}&rm=POST`

/** As a second factor would: asks for it where the rules do. */
const challenge = contributeSteps({
  name: 'second-factor',
  facts: ({ identity }) => ({ enrolled: identity?.profile.name === 'john' }),
  next: ({ level, destination }, { enrolled }) => {
    const wanted = destination.kind === 'safe' || destination.kind === 'interaction'
    if (!wanted || destination.outcome !== 'two_factor' || level === 2) return undefined
    return { path: enrolled ? '/second-factor/challenge' : '/second-factor/enrol' }
  },
})

test('a feature puts its page in front, with the target carried along', async (t) => {
  const { open } = await openPortal(t, [challenge])
  const answer = await open(to(BANK))
  assert.equal(answer.statusCode, 302)
  const query = new URLSearchParams({ rd: BANK, rm: 'POST' })
  assert.equal(answer.headers.location, `/second-factor/challenge?${query}`)
})

test('a feature that has no step leaves the way as it is', async (t) => {
  const { open } = await openPortal(t, [challenge])
  const answer = await open(to(WIKI))
  assert.equal(answer.headers.location, WIKI)
  assert.match((await open('')).body, /You are signed in|Your apps/)
})

test('between two factors, the target is closed, whatever the features say', async (t) => {
  const silent = contributeSteps({ name: 'silent', facts: () => 0, next: () => undefined })
  for (const contributors of [[], [silent]]) {
    const { open } = await openPortal(t, contributors)
    const answer = await open(to(BANK))
    assert.equal(answer.statusCode, 403)
    assert.equal(answer.headers.location, undefined)
  }
})

test('a feature that fails ends in an error page and never in a pass', async (t) => {
  const boom = (): never => {
    throw new Error('boom')
  }
  const noStore = (): never => {
    throw new AppError('STORE_UNAVAILABLE')
  }
  const nothing = () => undefined
  for (const [name, contributor, status] of [
    ['facts', contributeSteps({ name: 'a', facts: boom, next: nothing }), 500],
    ['late', contributeSteps({ name: 'a', facts: async () => boom(), next: nothing }), 500],
    ['next', contributeSteps({ name: 'a', facts: () => 0, next: boom }), 500],
    ['store', contributeSteps({ name: 'a', facts: noStore, next: nothing }), 503],
    [
      'foreign path',
      contributeSteps({ name: 'a', facts: () => 0, next: () => ({ path: '//evil.test' }) }),
      500,
    ],
    ['own path', contributeSteps({ name: 'a', facts: () => 0, next: () => ({ path: '/' }) }), 500],
  ] as const) {
    const { open } = await openPortal(t, [contributor])
    const answer = await open(to(WIKI))
    assert.equal(answer.statusCode, status, name)
    assert.equal(answer.headers.location, undefined, name)
  }
})

test('features are not asked about a client that is not signed in', async (t) => {
  const asked: string[] = []
  const counts = contributeSteps({
    name: 'counts',
    facts: () => void asked.push('facts'),
    next: () => ({ path: '/x' }),
  })
  const { get, value } = await openPortal(t, [counts])
  const form = await get(`/${to(WIKI)}`)
  assert.equal(form.statusCode, 200)
  assert.match(form.body, /name="password"/)
  assert.deepEqual(asked, [])
  assert.equal((await get('/', value)).headers.location, '/x')
  assert.deepEqual(asked, ['facts'])
})

const provider: Interactions = {
  async find(id, { level }) {
    if (id !== 'waiting') return undefined
    const url = '/api/oidc/authorization?id=waiting'
    return { id, client: 'Grafana', url, outcome: level === 0 ? 'one_factor' : 'allow' }
  },
}

test('an OpenID interaction is carried through the form, and goes on behind it', async (t) => {
  const { get, open } = await openPortal(t, [], provider)
  const query = '?flow=openid_connect&flow_id=waiting'
  const form = await get(`/${query}`)
  assert.match(form.body, /to continue to Grafana/)
  assert.match(form.body, /name="flow" value="openid_connect"/)
  assert.match(form.body, /name="flow_id" value="waiting"/)
  assert.equal((await open(query)).headers.location, '/api/oidc/authorization?id=waiting')
})

test('an interaction that is over, or that no feature knows, leads nowhere', async (t) => {
  for (const interactions of [provider, undefined]) {
    const { open } = await openPortal(t, [], interactions)
    const answer = await open('?flow=openid_connect&flow_id=over')
    assert.equal(answer.statusCode, 200)
    assert.match(answer.body, /You are signed in|Your apps/)
  }
})
